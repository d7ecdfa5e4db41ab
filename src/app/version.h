// SPDX-License-Identifier: Apache-2.0
#pragma once
// app/version: what this binary calls itself.

#include <string_view>

namespace aios::app {

/// "aios 0.1.0".
std::string_view version_text();

}  // namespace aios::app
