// SPDX-License-Identifier: Apache-2.0
// A YAML text: what is read can be said as JSON, which is YAML too, and reads back equal.
#include "expr/yaml.h"

#include "core/text.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/same.h"

#include <algorithm>

namespace aios::fuzz {
namespace {

/// Names that the reader of YAML takes for names wherever they stand: not longer than 1,024.
bool has_long_name(const Json& value) {
  if (const auto* object = value.if_object()) {
    return std::any_of(object->begin(), object->end(), [](const auto& member) {
      return member.key().size() > 300 || has_long_name(member.value());
    });
  }
  const auto* array = value.if_array();
  return array != nullptr && std::any_of(array->begin(), array->end(), has_long_name);
}

}  // namespace

void yaml(std::string_view input) {
  const expr::YamlLimits limits{.depth_max = 40, .nodes_max = 5'000};
  const auto document = expr::parse_yaml(input, "f.yaml", limits);
  const auto lines =
      1 + static_cast<std::uint32_t>(std::count_if(input.begin(), input.end(),
                                                   [](char c) { return c == '\n' || c == '\r'; }));
  if (!document.ok()) {
    AIOS_ASSERT(is_utf8(document.error().message()));
    AIOS_ASSERT(document.error().line() <= lines + 1);
    return;
  }
  AIOS_ASSERT(document->positions.of("").line <= lines);
  const std::string text = to_text(document->value);
  AIOS_ASSERT(is_utf8(text));
  const auto read = parse_json(text);
  AIOS_ASSERT(read.ok() && same(*read, document->value));
  if (has_long_name(document->value)) {
    return;
  }
  const auto again = expr::parse_yaml(text, "f.json", limits);
  AIOS_ASSERT(again.ok() && same(again->value, document->value));
}

}  // namespace aios::fuzz
