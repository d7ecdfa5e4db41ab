// SPDX-License-Identifier: Apache-2.0
// Personal data in a stranger's text: what is found lies in it, in order, and masked it is gone.
#include "core/text.h"
#include "govern/personal_data.h"
#include "govern/redaction.h"
#include "tests/fuzz/fuzz.h"

namespace aios::fuzz {

void personal(std::string_view input) {
  const auto found = govern::find_personal_data(input);
  std::size_t at = 0;
  for (const auto& finding : found) {
    AIOS_ASSERT(finding.begin >= at && finding.begin < finding.end);
    AIOS_ASSERT(finding.end <= input.size() && !finding.kind.empty());
    at = finding.end;
  }
  const auto redacted = govern::redact(input);
  AIOS_ASSERT(redacted.findings == found);
  AIOS_ASSERT(!is_utf8(input) || is_utf8(redacted.text));
  AIOS_ASSERT(!found.empty() || redacted.text == input);
  if (!is_utf8(input)) {
    return;
  }
  auto parsed = parse_json(input);
  Json value = JsonObject{{"text", input}, {"whole", parsed.ok() ? *parsed : Json(nullptr)}};
  const auto masked = govern::mask_personal_data(&value);
  if (!masked.ok()) {
    AIOS_ASSERT(masked.error().page() == 516 || masked.error().page() == 517);
    return;
  }
  const auto left = govern::find_personal_data_in(value);
  AIOS_ASSERT(left.ok() && left->found.empty());
}

}  // namespace aios::fuzz
