// SPDX-License-Identifier: Apache-2.0
#pragma once
// ingress/detail/schedule: when a schedule fires, and what of it was missed.

#include "core/time.h"
#include "ingress/cron.h"
#include "ingress/source.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace aios::ingress {

/// What is done about firings that came while nobody was there to see them.
enum class Missed : std::uint8_t { one, none, all };

struct Schedule final : SourceSettings {
  Duration every{0};  ///< 0: cron says it
  std::optional<Cron> cron;
  Zone zone;
  Missed missed = Missed::one;
  std::uint32_t missed_max = 100;  ///< of Missed::all
  std::string text;                ///< what makes it another schedule when it changes

  std::optional<Time> next(Time after) const;
  /// The last firings in (after, until], oldest first, at most `count`.
  std::vector<Time> last(Time after, Time until, std::size_t count) const;
  /// What is to be fired now of what came since `after`.
  std::vector<Time> due(Time after, Time now) const;
};

/// Fires the schedules of all tenants. Threading: everything on the executor that awaits it.
class Scheduler {
 public:
  explicit Scheduler(SourceServices services) : services_(std::move(services)) {}
  /// Fires what is due. @return how many events were taken
  Task<std::uint64_t> round(Context ctx);

 private:
  struct Line {
    SourcePtr source;
    Time fired;  ///< everything up to here is done
    std::uint64_t version = 0;
    Instant not_before{};
  };
  using Key = std::pair<TenantId, std::string>;
  Task<std::uint64_t> see_to(SourcePtr source);
  Task<Result<Line>> load(SourcePtr source);
  Task<bool> fire(Line* line, Time at);
  Task<Result<void>> move_on(Line* line, Time to);
  Task<Result<void>> come_back(Line* line, Time now);
  void put_off(Line* line, const Error& error);

  SourceServices services_;
  std::map<Key, Line> lines_;
};

}  // namespace aios::ingress
