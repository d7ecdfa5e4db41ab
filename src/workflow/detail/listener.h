// SPDX-License-Identifier: Apache-2.0
#pragma once
// workflow/detail/listener: what stands in the store of a run that waits for an event, and of an
// event that may come before its run waits.

#include "core/json.h"
#include "core/result.h"
#include "core/time.h"
#include "store/transition.h"
#include "workflow/expression.h"
#include "workflow/task_kind.h"

#include <map>
#include <string>
#include <string_view>

namespace aios::workflow {

// Listeners and kept events are streams of their own, labelled with the event's type, so that they
// are found by it.

/// So long an event waits for its run.
inline constexpr Duration kept_for = std::chrono::hours(1);
/// Of one type of a tenant; the oldest give way.
inline constexpr std::uint32_t kept_max = 1'000;
/// Runs that wait for one type, and are looked at when such an event comes.
inline constexpr std::uint32_t listeners_max = 10'000;

store::StreamWrite listener_write(const std::string& id, const std::string& run_id,
                                  const std::string& subject, const Listen& listen);

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
