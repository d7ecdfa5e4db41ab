// SPDX-License-Identifier: Apache-2.0
// How what arrived becomes an event: the source's mapping, then the schema of the data.
#include "ingress/delivery.h"

#include "core/text.h"
#include "ingress/sources.h"

#include <fmt/format.h>

#include <utility>

namespace aios::ingress {
namespace {

/// A mapping runs while others wait: enough for a document of a megabyte, not for a search.
constexpr expr::EvalLimits mapping_limits = {
    .steps_max = 300'000, .depth_max = 1'000, .memory_bytes_max = std::size_t{32} << 20};
constexpr std::size_t reason_characters_max = 1'000;

/// Attributes are texts; an id that is a number in the sender's document is meant as one.
Json as_attribute(Json value) {
  if (value.is_number() || value.is_bool()) {
    return Json(to_text(value));
  }
  return value;
}

/// The defaults without what the mapping names: that is put in their places.
JsonObject unnamed(const Arrival& arrival, const JsonObject& named) {
  JsonObject out;
  out.reserve(arrival.defaults.size() + named.size() + 2);
  for (const auto& member : arrival.defaults) {
    out.emplace(member.key(), named.contains(member.key()) ? Json() : member.value());
  }
  if (!arrival.data_member.empty() && !out.contains("data")) {
    out.emplace("data", named.contains("data") ? Json() : arrival.seen.at(arrival.data_member));
  }
  return out;
}

Result<Event> mapped(const DeclaredSource& source, const Arrival& arrival, Time now) {
  const expr::Variable variables[] = {{"params", &source.params}};
  expr::EvalOptions options;
  options.now = now;
  options.limits = mapping_limits;
  auto made = source.event.evaluate(arrival.seen, variables, options);
  if (!made.ok()) {
    return std::move(made).error();
  }
  JsonObject envelope = unnamed(arrival, made->get_object());
  envelope["specversion"] = "1.0";
  for (auto& member : made->get_object()) {
    if (member.value().is_null()) {
      envelope.erase(member.key());  // the sender's document has none
    } else {
      envelope[member.key()] = member.key() == "data" ? std::move(member.value())
                                                      : as_attribute(std::move(member.value()));
    }
  }
  return event_from_envelope(std::move(envelope));
}

/// What stands for an arrival that the mapping cannot make an event of.
Event nameless(const JsonObject& defaults) {
  JsonObject envelope;
  envelope["specversion"] = "1.0";
  envelope["id"] = defaults.at("id");
  envelope["source"] = defaults.at("source");
  envelope["type"] = unmapped_type;
  auto event = event_from_envelope(std::move(envelope));
  AIOS_ASSERT(event.ok());  // the kind gives an id and a source
  return std::move(*event);
}

std::string misfit(const DeclaredSource& source, const Event& event) {
  if (!source.schema) {
    return "";
  }
  const Json none;
  const Json* data = event.envelope.if_contains("data");
  auto fits = source.schema->validate(data == nullptr ? none : *data);
  return fits.ok()
             ? ""
             : fmt::format("the data do not fit the schema of source '{}': {} [AIOS-1209]",
                           source.name, excerpt(fits.error().message(), reason_characters_max));
}

}  // namespace

Delivery delivery_of(const DeclaredSource& source, Arrival arrival, Time now) {
  Delivery delivery;
  delivery.bytes = arrival.bytes;
  delivery.digest = std::move(arrival.digest);
  delivery.source = source.name;
  delivery.writes = std::move(arrival.writes);
  auto event = mapped(source, arrival, now);
  delivery.unmapped = !event.ok();
  if (event.ok()) {
    delivery.event = std::move(*event);
    delivery.unfit = misfit(source, delivery.event);
  } else {
    delivery.event = nameless(arrival.defaults);
    delivery.unfit = fmt::format("source '{}' cannot make an event of it: {} [AIOS-1208]",
                                 source.name, excerpt(event.error().text(), reason_characters_max));
  }
  JsonObject arrived;
  arrived.reserve(2);
  arrived["seen"] = std::move(arrival.seen);
  arrived["defaults"] = std::move(arrival.defaults);
  delivery.arrived = std::move(arrived);
  delivery.data_member = std::move(arrival.data_member);
  return delivery;
}

}  // namespace aios::ingress
