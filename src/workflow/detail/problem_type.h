// SPDX-License-Identifier: Apache-2.0
#pragma once
// workflow/detail/problem_type: when two type URIs of errors mean the same.

#include <string_view>

namespace aios::workflow {

/// The standard types have had several prefixes, and the specification's own conformance kit
/// catches by another one than its reference gives.
bool same_type(std::string_view one, std::string_view other);

}  // namespace aios::workflow
