// SPDX-License-Identifier: Apache-2.0
// A file sources/*.yaml, a line "---", a body: what arrives there becomes an event or is kept as
// one that does not fit.
#include "core/text.h"
#include "ingress/sources.h"
#include "tests/fuzz/fuzz.h"

namespace aios::fuzz {

void source(std::string_view input) {
  const auto [text, body] = cut(input, "\n---\n");
  const auto checked = ingress::Sources::check(
      default_tenant(), {{"sources/a.yaml", std::string(text)}}, {{"where", "/shop"}});
  AIOS_ASSERT(checked.errors.empty() == (checked.sources.size() == 1));
  for (const Error& error : checked.errors) {
    AIOS_ASSERT(error.page() != 0 && is_utf8(error.text()) && error.file() == "sources/a.yaml");
  }
  const auto value = parse_json(body, {.depth_max = 40});
  if (!checked.errors.empty() || !value.ok()) {
    return;
  }
  ingress::Arrival arrival;
  arrival.seen = JsonObject{{"body", *value}};
  arrival.defaults = {{"id", "an-id"}, {"source", "/hooks/a"}};
  arrival.digest = std::string(32, 'd');
  const auto delivery = ingress::delivery_of(*checked.sources[0], std::move(arrival), Time{});
  AIOS_ASSERT(!delivery.event.id.empty() && !delivery.event.type.empty());
  AIOS_ASSERT(parse_json(to_text(delivery.event.envelope)).ok());
}

}  // namespace aios::fuzz
