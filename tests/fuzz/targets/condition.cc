// SPDX-License-Identifier: Apache-2.0
// What a search asks of its attributes.
#include "core/text.h"
#include "tests/fuzz/fuzz.h"
#include "workflow/attribute.h"

namespace aios::fuzz {

void condition(std::string_view input) {
  namespace flow = aios::workflow;
  const std::vector<flow::AttributeInfo> declared = {
      {"intent", flow::AttributeType::text},
      {"amount", flow::AttributeType::number},
      {"urgent", flow::AttributeType::boolean},
      {"due", flow::AttributeType::time},
  };
  const auto read = flow::read_conditions(input, declared);
  if (!read.ok()) {
    AIOS_ASSERT(read.error().page() >= 1070 && read.error().page() <= 1074);
    AIOS_ASSERT(is_utf8(read.error().message()));
    return;
  }
  AIOS_ASSERT(read->size() <= flow::conditions_max);
  for (const auto& condition : *read) {
    AIOS_ASSERT(!condition.fits(JsonObject()));
    const auto kept = flow::attribute_value(condition.type, condition.value);
    AIOS_ASSERT(kept && *kept == condition.value);
    const bool equal = condition.fits(JsonObject{{condition.name, condition.value}});
    using flow::Comparison;
    AIOS_ASSERT(equal == (condition.comparison == Comparison::equal ||
                          condition.comparison == Comparison::at_most ||
                          condition.comparison == Comparison::at_least));
    AIOS_ASSERT(!flow::attribute_key(condition.type, condition.value).empty());
  }
}

}  // namespace aios::fuzz
