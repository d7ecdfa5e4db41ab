// SPDX-License-Identifier: Apache-2.0
#include "app/retention.h"

#include "core/json.h"
#include "observe/metric_table.h"
#include "runtime/one_shot.h"

#include <fmt/format.h>

#include <utility>

namespace aios::app {
namespace {

constexpr Duration behind_told = std::chrono::hours(24);

}  // namespace

std::optional<std::string> refuse_retention(const std::string& value) {
  const auto age = parse_iso_duration(value);
  return age.ok() && *age >= kept_least ? std::nullopt
                                        : std::optional<std::string>(
                                              "an ISO 8601 duration of eight days or more, such as "
                                              "P90D; not set: kept for good");
}

Retention::Retention(store::Store& store, observe::Metrics& metrics, const observe::Log& log,
                     std::vector<Keep> keep, std::string seen_file)
    : store_(store),
      metrics_(metrics),
      log_(log),
      keep_(std::move(keep)),
      seen_(std::move(seen_file)) {}

/// What a clock that is ahead would have taken away nothing brings back.
Time Retention::count_to(runtime::Clock& clock) {
  const Time wall = clock.now();
  const Time seen = seen_.pass(wall, clock.instant());
  if (auto kept = seen_.keep(); !kept.ok()) {
    log_.error("retention", std::move(kept).error().with("noting the time that was seen"));
  }
  const bool behind = wall - seen > behind_told;
  if (behind && !told_) {
    log_.write(observe::Level::warn, "retention",
               "the clock is ahead of the time that this server has seen pass: it was down, or the "
               "clock jumped; what is kept for a time is taken away later",
               {{"clock", to_rfc3339(wall)}, {"counted_to", to_rfc3339(seen)}});
  }
  told_ = behind;
  return seen;
}

Task<void> Retention::look(Context ctx, runtime::Clock& clock) {
  const Instant now = clock.instant();
  if (keep_.empty() || (looked_ && now - *looked_ < period)) {
    co_return;
  }
  looked_ = now;
  const Time to = count_to(clock);
  auto tenants = co_await store_.tenants_with_leaves(ctx);
  if (!tenants.ok()) {
    log_.error("retention", tenants.error());
    co_return;
  }
  for (const TenantId& tenant : *tenants) {
    for (const Keep& keep : keep_) {
      Context own = system_context(tenant, "retention");
      own.cancel = ctx.cancel;
      auto expiring = expire(own, keep, to);
      co_await std::move(expiring);
      for (const KeptBeside& beside : kept_beside) {
        if (beside.name == keep.of.name) {
          Keep other = keep;
          other.of.kind = beside.kind;
          other.of.prefix = beside.prefix;
          expiring = expire(own, std::move(other), to);
          co_await std::move(expiring);
        }
      }
    }
  }
}

Task<void> Retention::expire(Context ctx, Keep keep, Time now) {
  store::Expiry expiry;
  expiry.kind = keep.of.kind;
  expiry.prefix = keep.of.prefix;
  expiry.before = now - keep.age;
  std::uint64_t gone = 0;
  do {
    auto page = co_await store_.expire(ctx, expiry);
    if (!page.ok()) {
      if (!ctx.cancelled()) {
        log_.error("retention",
                   std::move(page).error().with(fmt::format("taking away old {}", keep.of.name)));
      }
      co_return;
    }
    gone += page->streams;
    expiry.after = page->next;
    co_await runtime::yield();
  } while (!expiry.after.empty() && !ctx.cancelled());
  if (gone > 0) {
    metrics_.counter(observe::metric("aios_expired"), {std::string(keep.of.name)}).add(gone);
    log_.write(observe::Level::info, "retention", fmt::format("old {} are gone", keep.of.name),
               {{"count", gone}, {"before", to_rfc3339(expiry.before)}}, &ctx);
  }
}

}  // namespace aios::app
