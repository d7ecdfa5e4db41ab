// SPDX-License-Identifier: Apache-2.0
#pragma once
// govern/detail/test_failure: why a test rule of a policy is not true: the first of its statements
// that does not hold, what was compared there, and what the rule printed.

#include "core/json.h"
#include "govern/detail/rego.h"
#include "govern/guard.h"

#include <string>
#include <vector>

namespace aios::govern::detail {

/// "m_test.rego:5:2: 'm.limit == 5' does not hold: m.limit is 3; printed: ..."; empty where nothing
/// is known. Compiles the files again, with rules that hold the test's first statements.
std::string why_failed(const std::vector<PolicyFile>& files, const JsonObject& data,
                       const Rego::TestRule& test);

}  // namespace aios::govern::detail
