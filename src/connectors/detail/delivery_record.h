// SPDX-License-Identifier: Apache-2.0
#pragma once
// connectors/detail/delivery_record: the sealed state of a delivery's stream.

#include "core/json.h"
#include "core/result.h"
#include "core/time.h"
#include "store/store.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace aios::connectors::detail {

inline constexpr std::string_view pending = "pending";
inline constexpr std::string_view delivered = "delivered";
inline constexpr std::string_view dead = "dead";

struct Delivery {
  std::string receiver;  ///< the subscription's name
  std::string kind;      ///< "callback" or "event"
  std::string url;       ///< of a callback; an event goes where its subscription says now
  std::string run;       ///< whose order it keeps
  std::string subject;   ///< data subject, for sealing
  Json envelope;         ///< the CloudEvent
  Time created;
  Time since;           ///< its time runs from here: created, or replayed
  Time next;            ///< not before
  bool intent = false;  ///< its intent is committed
  bool cut = false;     ///< `envelope` only names the event: its data were not kept
  std::uint32_t attempts = 0;
  Time last_at{};
  int last_status = 0;       ///< of HTTP; 0: no answer
  std::string last_error{};  ///< empty: delivered, or not tried yet
  JsonArray openings{};      ///< of its leaves: see govern/opening.h

  Json to_json() const;
};

/// data_loss for a state that no program wrote.
Result<Delivery> delivery_of(const store::StreamRow& row);
/// The stream's next write: `status` with everything that follows from it.
store::StreamWrite write_of(std::string id, std::uint64_t version, const Delivery& delivery,
                            std::string_view status);
/// What names an event, without its data.
Json head_of(const Json& envelope);
/// "dlv_" and the message's place in the outbox: in order, of one receiver as of another.
std::string delivery_id(std::uint64_t message, std::size_t receiver);

}  // namespace aios::connectors::detail
