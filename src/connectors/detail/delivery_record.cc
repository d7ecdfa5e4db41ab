// SPDX-License-Identifier: Apache-2.0
#include "connectors/detail/delivery_record.h"

#include "store/label.h"

#include <fmt/format.h>

#include <utility>

namespace aios::connectors::detail {
namespace {

constexpr std::size_t openings_max = 8;

Time time_or(const Json& value, std::string_view name) { return Time{int_or(value, name, 0)}; }

/// A dead letter of before they said it themselves: too large, never tried, and without data.
bool was_cut(const Delivery& delivery) {
  const std::string& why = delivery.last_error;
  return delivery.attempts == 0 && why.starts_with("it has ") && why.ends_with(" are sent") &&
         find(delivery.envelope, "data") == nullptr;
}

}  // namespace

Json Delivery::to_json() const {
  JsonObject out;
  out["receiver"] = receiver;
  out["kind"] = kind;
  out["url"] = url;
  out["run"] = run;
  out["subject"] = subject;
  out["envelope"] = envelope;
  out["created"] = created.ns;
  out["since"] = since.ns;
  out["next"] = next.ns;
  out["intent"] = intent;
  if (cut) {
    out["cut"] = true;
  }
  out["attempts"] = std::int64_t{attempts};
  out["last_at"] = last_at.ns;
  out["last_status"] = std::int64_t{last_status};
  out["last_error"] = last_error;
  out["openings"] = openings;
  return Json(std::move(out));
}

Result<Delivery> delivery_of(const store::StreamRow& row) {
  auto state = parse_json(row.state);
  if (!state.ok() || !state->is_object()) {
    return Error(Code::data_loss, fmt::format("the state of delivery '{}' cannot be read", row.id));
  }
  Delivery out;
  out.receiver = text_or(*state, "receiver", "");
  out.kind = text_or(*state, "kind", "");
  out.url = text_or(*state, "url", "");
  out.run = text_or(*state, "run", "");
  out.subject = text_or(*state, "subject", "");
  if (const Json* envelope = find(*state, "envelope")) {
    out.envelope = *envelope;
  }
  out.created = time_or(*state, "created");
  out.since = time_or(*state, "since");
  out.next = time_or(*state, "next");
  out.intent = bool_or(*state, "intent", false);
  out.attempts = static_cast<std::uint32_t>(int_or(*state, "attempts", 0));
  out.last_at = time_or(*state, "last_at");
  out.last_status = static_cast<int>(int_or(*state, "last_status", 0));
  out.last_error = text_or(*state, "last_error", "");
  out.cut = bool_or(*state, "cut", was_cut(out));
  const Json* openings = find(*state, "openings");
  if (openings != nullptr && openings->is_array()) {
    out.openings = openings->get_array();
  }
  return out;
}

store::StreamWrite write_of(std::string id, std::uint64_t version, const Delivery& delivery,
                            std::string_view status) {
  store::StreamWrite write;
  write.kind = store::StreamKind::delivery;
  write.id = std::move(id);
  write.expected_version = version;
  Delivery kept = delivery;
  while (kept.openings.size() > openings_max) {  // of replays long ago
    kept.openings.erase(kept.openings.begin());
  }
  write.state = store::Payload{delivery.subject, to_text(kept.to_json())};
  write.status = status;
  write.label = store::label_of(delivery.receiver);
  write.end = status == pending ? store::StreamEnd::open : store::StreamEnd::closed;
  return write;
}

std::string delivery_id(std::uint64_t message, std::size_t receiver) {
  return fmt::format("dlv_{:016x}{:02x}", message, receiver);
}

Json head_of(const Json& envelope) {
  JsonObject out;
  for (const auto* name : {"specversion", "id", "source", "type", "subject", "time"}) {
    if (const Json* value = find(envelope, name); value != nullptr) {
      out[name] = *value;
    }
  }
  return out;
}

}  // namespace aios::connectors::detail
