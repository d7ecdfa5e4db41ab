// SPDX-License-Identifier: Apache-2.0
// A file of scenarios: each is read with its place, or what is wrong with it is told there.
#include "scenario/scenario.h"

#include "core/text.h"
#include "tests/fuzz/fuzz.h"

namespace aios::fuzz {

void scenario(std::string_view input) {
  const auto read = scenario::read_scenarios({{"tests/a.yaml", std::string(input)}});
  AIOS_ASSERT(read.errors.empty() || read.scenarios.empty());
  for (const Error& error : read.errors) {
    AIOS_ASSERT(error.page() != 0 && is_utf8(error.text()) && error.file() == "tests/a.yaml");
  }
  for (const auto& one : read.scenarios) {
    AIOS_ASSERT(!one.name.empty() && at_pointer(one.document->value, one.pointer) != nullptr);
  }
}

}  // namespace aios::fuzz
