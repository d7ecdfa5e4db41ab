// SPDX-License-Identifier: Apache-2.0
#pragma once
// ingress/delivery: an event on its way into the inbox, with what is known of where it came from.

#include "ingress/event.h"
#include "store/transition.h"

#include <cstddef>
#include <string>
#include <vector>

namespace aios::ingress {

struct Delivery {
  Event event;
  std::size_t bytes = 0;  ///< as it arrived, for policy
  /// 32 bytes of what arrived; empty: of the event's own content. Who sends the same id again must
  /// send the same.
  std::string digest;
  std::string source;     ///< the declared source it came by; empty: none
  bool emitted = false;   ///< a run of this installation sends it, not a stranger
  std::string unfit;      ///< why no workflow may have it: it becomes a dead letter at once
  bool unmapped = false;  ///< the source makes no event of it: `event` only stands for it
  /// What a dead letter is made of again when it is replayed, {seen, defaults} as in Arrival, but
  /// for the data where they are the member of `seen` that is named here; null without a source.
  Json arrived{};
  std::string data_member{};
  /// Durable with the event, whatever becomes of it; not when it was there before, or is refused.
  std::vector<store::StreamWrite> writes{};
};

}  // namespace aios::ingress
