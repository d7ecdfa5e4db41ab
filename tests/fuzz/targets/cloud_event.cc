// SPDX-License-Identifier: Apache-2.0
// A CloudEvent over HTTP: fields, a blank line, the body.
#include "ingress/event.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/message.h"
#include "tests/fuzz/same.h"

namespace aios::fuzz {

void cloud_event(std::string_view input) {
  const auto request = request_of(input);
  const auto event = ingress::event_from_http(request);
  if (!event.ok()) {
    AIOS_ASSERT(event.error().page() != 0);
    return;
  }
  AIOS_ASSERT(!event->id.empty() && !event->source.empty() && !event->type.empty());
  AIOS_ASSERT(text_or(event->envelope, "specversion", "") == "1.0");
  AIOS_ASSERT(text_or(event->envelope, "id", "") == event->id);
  // said again as a whole it is the same event
  const auto read = parse_json(to_text(event->envelope));
  AIOS_ASSERT(read.ok() && read->is_object());
  const auto again = ingress::event_from_envelope(read->get_object());
  AIOS_ASSERT(again.ok() && same(again->envelope, event->envelope));
  AIOS_ASSERT(again->subject == event->subject);
}

}  // namespace aios::fuzz
