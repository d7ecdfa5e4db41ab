// SPDX-License-Identifier: Apache-2.0
// Times and durations as texts: what is read is printed so that it reads back equal.
#include "core/context.h"
#include "core/ids.h"
#include "core/text.h"
#include "core/time.h"
#include "tests/fuzz/fuzz.h"

namespace aios::fuzz {

void times(std::string_view input) {
  if (const auto time = parse_rfc3339(input); time.ok()) {
    const auto again = parse_rfc3339(to_rfc3339(*time));
    AIOS_ASSERT(again.ok() && *again == *time);
    AIOS_ASSERT(to_http_date(*time).ends_with(" GMT"));
  }
  if (const auto duration = parse_iso_duration(input); duration.ok()) {
    const auto again = parse_iso_duration(to_iso_duration(*duration));
    AIOS_ASSERT(again.ok() && *again == *duration);
    AIOS_ASSERT(!to_short_duration(*duration).empty());
  }
  if (const Trace trace = Trace::parse(input); trace.valid()) {
    const Trace again = Trace::parse(trace.traceparent());
    AIOS_ASSERT(again.trace_id == trace.trace_id && again.span_id == trace.span_id);
  }
  if (const auto bytes = from_base64(input); bytes.ok()) {
    AIOS_ASSERT(to_base64(*bytes) == input);
  }
  if (const auto bytes = from_hex(input); bytes.ok()) {
    AIOS_ASSERT(to_hex(*bytes) == ascii_lower(input));
  }
  if (const auto tenant = TenantId::parse(input); tenant.ok()) {
    AIOS_ASSERT(tenant->text() == input && input.size() <= 63);
  }
  AIOS_ASSERT(is_utf8(excerpt(input, 20)));
}

}  // namespace aios::fuzz
