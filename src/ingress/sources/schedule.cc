// SPDX-License-Identifier: Apache-2.0
// ingress/sources/schedule: events at times, by a period or a cron expression.
#include "ingress/detail/schedule.h"

#include "core/text.h"
#include "ingress/ingress.h"
#include "ingress/sources.h"

#include <fmt/format.h>

#include <utility>

namespace aios::ingress {
namespace {

constexpr Duration every_min = std::chrono::seconds(1);
constexpr Duration every_max = std::chrono::hours(24) * 366;
constexpr Duration look_again = std::chrono::seconds(1);  // what is deployed, and clocks, change

constexpr const char* form = R"({
  "properties": {
    "every": {"type": "string"},
    "cron": {"type": "string", "maxLength": 200},
    "timezone": {"type": "string", "maxLength": 60},
    "missed": {"enum": ["one", "none", "all"]},
    "missed_max": {"type": "integer", "minimum": 1, "maximum": 1000}
  },
  "oneOf": [{"required": ["every"], "not": {"required": ["timezone"]}}, {"required": ["cron"]}]
})";

std::shared_ptr<const SourceSettings> read(const Json& own, const Complain& complain) {
  auto schedule = std::make_shared<Schedule>();
  const auto every = text_or(own, "every", "");
  const auto cron = text_or(own, "cron", "");
  const auto zone_name = text_or(own, "timezone", "Etc/UTC");
  schedule->text = fmt::format("{}|{}|{}", every, cron, zone_name);
  if (!every.empty()) {
    auto parsed = parse_iso_duration(every);
    if (parsed.ok() && *parsed >= every_min && *parsed <= every_max) {
      schedule->every = *parsed;
    } else {
      complain("/every", fmt::format("'every' is '{}', wanted a duration from PT1S to P366D, such "
                                     "as PT5M",
                                     excerpt(every, 40)));
    }
  } else {
    auto parsed = Cron::parse(cron);
    if (parsed.ok()) {
      schedule->cron = std::move(*parsed);
    } else {
      complain("/cron", parsed.error().message());
    }
    auto zone = Zone::find(zone_name);
    if (zone.ok()) {
      schedule->zone = *zone;
    } else {
      complain("/timezone", zone.error().message());
    }
  }
  const auto missed = text_or(own, "missed", "one");
  schedule->missed = missed == "all" ? Missed::all : missed == "none" ? Missed::none : Missed::one;
  schedule->missed_max = static_cast<std::uint32_t>(int_or(own, "missed_max", 100));
  return schedule;
}

Task<void> run(SourceServices services, Context ctx) {
  Scheduler scheduler(std::move(services));
  while (!ctx.cancelled()) {
    co_await scheduler.round(ctx);
    auto rested = co_await runtime::sleep_for(ctx, look_again);
    if (!rested.ok()) {
      break;
    }
  }
}

}  // namespace

void register_source_schedule(SourceRegistry& registry) {
  registry.add({.name = "schedule",
                .summary = "Events at times: every so often, or by a cron expression.",
                .form = form,
                .source_prefix = "/schedules/",
                .read = read,
                .run = run});
}

}  // namespace aios::ingress
