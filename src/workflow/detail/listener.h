// SPDX-License-Identifier: Apache-2.0
#pragma once
// workflow/detail/listener: what stands in the store of a run that waits for an event, and of an
// event that may come before its run waits.

#include "core/json.h"
#include "core/result.h"
#include "core/time.h"
#include "store/store.h"
#include "store/transition.h"
#include "workflow/engine_calls.h"
#include "workflow/expression.h"
#include "workflow/task_kind.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace aios::workflow {

// Listeners and kept events are streams of their own, labelled with the event's type, so that they
// are found by it.

inline constexpr int page_too_many_listen = 1080;
inline constexpr std::uint32_t listed_page_max = 250;

/// So long an event waits for its run.
inline constexpr Duration kept_for = std::chrono::hours(1);
/// Of one type of a tenant; the oldest give way.
inline constexpr std::uint32_t kept_max = 1'000;

/// Those that wait, by the type of their events.
store::ListQuery listed_query(const TenantId& tenant, store::StreamKind kind,
                              std::string_view type);

/// A run that waits, and what it stands for in the list.
struct Listener {
  std::string id, run;
};
store::StreamWrite listener_write(const std::string& id, const std::string& run_id,
                                  const std::string& subject, const Listen& listen);

/// An event that is kept.
struct Kept {
  std::string id;
  std::uint64_t version = 0;
  Json event;
  Time received;
  bool started_run = false;
};
/// Nothing: it was erased, or is over.
std::optional<Kept> kept_of(const store::StreamRow& row);
/// Ends the keeping. What the event held goes with it.
store::StreamWrite kept_over(const std::string& id, std::uint64_t version, const EventFate& fate);

/// Looks at listeners from outside. Compiles each correlation once.
class EventMatch {
 public:
  explicit EventMatch(const Json& event) : event_(event) {}
  /// Whether the listener's attributes and correlations are the event's.
  bool fits(const Json& listener);

 private:
  Result<Json> extracted(std::string_view from);
  const Json& event_;
  std::map<std::string, Result<Json>, std::less<>> known_;
};

}  // namespace aios::workflow
