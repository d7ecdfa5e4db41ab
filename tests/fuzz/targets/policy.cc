// SPDX-License-Identifier: Apache-2.0
// A policy's text, a line "---", an input: what compiles is asked, and ends. (How much it may do is
// counted by our own code around the evaluator.)
#include "core/text.h"
#include "govern/detail/rego.h"
#include "govern/guard.h"
#include "tests/fuzz/fuzz.h"

namespace aios::fuzz {

void policy(std::string_view input) {
  const auto [text, given] = cut(input, "\n---\n");
  const auto rego = govern::detail::Rego::compile({{"policies/p.rego", std::string(text)}}, {});
  if (!rego.ok()) {
    AIOS_ASSERT(rego.error().page() != 0 && is_utf8(rego.error().text()));
    return;
  }
  const auto value = parse_json(given);
  const std::string asked = value.ok() ? to_text(*value) : "{}";
  for (const char* path : {"data.p", "data.p.allow"}) {
    if (!(*rego)->has(path)) {
      continue;
    }
    const auto answer = (*rego)->evaluate(path, asked);
    AIOS_ASSERT(answer.ok() || answer.error().page() != 0);
  }
}

}  // namespace aios::fuzz
