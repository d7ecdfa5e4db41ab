// SPDX-License-Identifier: Apache-2.0
// A JSON Schema, a line "---", a document: its two ways of checking say the same.
#include "expr/schema.h"

#include "core/text.h"
#include "tests/fuzz/fuzz.h"

namespace aios::fuzz {

void schema(std::string_view input) {
  const auto [first, second] = cut(input, "\n---\n");
  const auto form = parse_json(first, {.depth_max = 40});
  const auto document = parse_json(second, {.depth_max = 40});
  if (!form.ok() || !document.ok()) {
    return;
  }
  const auto compiled = expr::Schema::compile(*form);
  if (!compiled.ok()) {
    AIOS_ASSERT(compiled.error().page() == 105 && is_utf8(compiled.error().message()));
    return;
  }
  const auto valid = compiled->validate(*document);
  const auto issues = compiled->issues(*document, 5);
  AIOS_ASSERT(issues.ok() && issues->size() <= 5);
  AIOS_ASSERT(issues->empty() == valid.ok());
  for (const auto& issue : *issues) {
    AIOS_ASSERT(is_utf8(issue.message));
    AIOS_ASSERT(at_pointer(*document, issue.instance_path) != nullptr);
  }
}

}  // namespace aios::fuzz
