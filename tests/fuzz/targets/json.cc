// SPDX-License-Identifier: Apache-2.0
// A JSON text: what is read is printed so that it reads back equal, in each of the three forms.
#include "core/json.h"

#include "core/text.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/same.h"

namespace aios::fuzz {

void json(std::string_view input) {
  const JsonLimits limits{.depth_max = 64};
  const auto value = parse_json(input, limits);
  if (!value.ok()) {
    AIOS_ASSERT(is_utf8(value.error().message()));
    return;
  }
  AIOS_ASSERT(is_utf8(input));
  const std::string text = to_text(*value);
  const auto again = parse_json(text, limits);
  AIOS_ASSERT(again.ok() && same(*again, *value) && to_text(*again) == text);
  const auto pretty = parse_json(to_pretty_text(*value), limits);
  AIOS_ASSERT(pretty.ok() && same(*pretty, *value));
  const auto canonical = to_canonical_text(*value);
  if (canonical.ok()) {
    const auto read = parse_json(*canonical, limits);
    AIOS_ASSERT(read.ok());
    const auto twice = to_canonical_text(*read);
    AIOS_ASSERT(twice.ok() && *twice == *canonical);
  }
  AIOS_ASSERT(at_pointer(*value, "") == &*value);
  at_pointer(*value, input);
}

}  // namespace aios::fuzz
