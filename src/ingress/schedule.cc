// SPDX-License-Identifier: Apache-2.0
#include "ingress/detail/schedule.h"

#include "core/crypto.h"
#include "ingress/ingress.h"
#include "ingress/sources.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

namespace aios::ingress {
namespace {

/// A firing that is no more than so late was not missed.
constexpr Duration in_time = std::chrono::minutes(1);
constexpr Duration window_first = std::chrono::hours(1);
constexpr Duration window_last = std::chrono::hours(24) * 366 * 8;
constexpr Duration failed_pause = std::chrono::seconds(5);

std::string stream_of(const DeclaredSource& source) { return "schedule/" + source.name; }

store::StreamWrite cursor_write(const DeclaredSource& source, std::uint64_t version, Time fired) {
  const auto& schedule = static_cast<const Schedule&>(*source.settings);
  JsonObject state{{"fired", to_rfc3339(fired)}, {"schedule", schedule.text}};
  store::StreamWrite write;
  write.kind = store::StreamKind::source_place;
  write.id = stream_of(source);
  write.expected_version = version;
  write.state = store::Payload{"", to_text(Json(std::move(state)))};
  write.status = "schedule";
  return write;
}

Arrival arrival_of(const DeclaredSource& source, Time at) {
  const std::string scheduled = to_rfc3339(at);
  const JsonObject data{{"schedule", source.name}, {"scheduled", scheduled}};
  Arrival arrival;
  arrival.seen = data;
  arrival.defaults = {{"id", source.name + "@" + scheduled},
                      {"source", "/schedules/" + source.name},
                      {"time", scheduled},
                      {"data", data}};
  arrival.digest = std::string(view(sha256(scheduled)));
  arrival.bytes = to_text(Json(data)).size();
  return arrival;
}

}  // namespace

std::optional<Time> Schedule::next(Time after) const {
  if (cron) {
    return cron->next(after, zone);
  }
  const std::int64_t period = every.count();  // times are multiples of it, whoever counts
  return Time{(after.ns / period + 1) * period};
}

std::vector<Time> Schedule::last(Time after, Time until, std::size_t count) const {
  std::vector<Time> found;
  for (Duration window = window_first;; window = window * 4) {  // few are looked at twice
    const Time from = std::max(after, until - std::min(window, window_last));
    found.clear();
    for (auto at = next(from); at && *at <= until; at = next(*at)) {
      found.push_back(*at);
    }
    if (found.size() >= count || from == after || window >= window_last) {
      break;
    }
  }
  if (found.size() > count) {
    found.erase(found.begin(), found.end() - static_cast<std::ptrdiff_t>(count));
  }
  return found;
}

std::vector<Time> Schedule::due(Time after, Time now) const {
  if (missed == Missed::all) {
    return last(after, now, missed_max);
  }
  auto due = last(after, now, 1);
  if (missed == Missed::none && !due.empty() && now - due.front() > in_time) {
    due.clear();
  }
  return due;
}

/// Where the schedule stands; one that is new or says something else begins now.
Task<Result<Scheduler::Line>> Scheduler::load(SourcePtr source) {
  const Context ctx = source_context(*source);
  const auto& schedule = static_cast<const Schedule&>(*source->settings);
  Line line;
  line.source = source;
  line.fired = runtime::Executor::current()->clock().now();
  std::string id = stream_of(*source);
  auto row = co_await services_.store->stream(ctx, store::StreamKind::source_place, std::move(id));
  if (!row.ok() && row.error().code() != Code::not_found) {
    co_return std::move(row).error();
  }
  if (row.ok()) {
    line.version = row->version;
    const auto state = parse_json(row->state);
    const auto fired = parse_rfc3339(state.ok() ? text_or(*state, "fired", "") : "");
    if (fired.ok() && text_or(*state, "schedule", "") == schedule.text) {
      line.fired = *fired;
      co_return line;
    }
  }
  auto begun = co_await move_on(&line, line.fired);
  if (!begun.ok()) {
    co_return std::move(begun).error();
  }
  co_return line;
}

Task<Result<void>> Scheduler::move_on(Line* line, Time to) {
  store::Transition transition;
  transition.tenant = line->source->tenant;
  transition.epoch = services_.store->epoch();
  transition.streams.push_back(cursor_write(*line->source, line->version, to));
  const Context ctx = source_context(*line->source);
  auto committed = co_await services_.store->commit(ctx, std::move(transition));
  if (!committed.ok()) {
    co_return std::move(committed).error();
  }
  ++line->version;
  line->fired = to;
  co_return Result<void>();
}

/// It fired times that are yet to come, for the clock was ahead then: from now on again. What it
/// did fire is known by its id and starts nothing twice.
Task<Result<void>> Scheduler::come_back(Line* line, Time now) {
  const Time ahead = line->fired;
  auto moved = co_await move_on(line, now);
  if (moved.ok() && services_.log != nullptr) {
    const Context ctx = source_context(*line->source);
    services_.log->write(observe::Level::warn, "ingress",
                         "the clock was ahead when a schedule fired last: it goes on from now",
                         {{"schedule", line->source->name}, {"fired", to_rfc3339(ahead)}}, &ctx);
  }
  co_return moved;
}

void Scheduler::put_off(Line* line, const Error& error) {
  if (services_.log != nullptr) {
    const Context ctx = source_context(*line->source);
    const Error told =
        Error(error).with(fmt::format("firing the schedule '{}'", line->source->name));
    services_.log->error("ingress", told, &ctx);
  }
  line->not_before = runtime::Executor::current()->clock().instant() + failed_pause;
}

/// The event and where the schedule stands are one commit: a crash fires nothing twice.
/// @return whether the schedule has moved on
Task<bool> Scheduler::fire(Line* line, Time at) {
  Arrival arrival = arrival_of(*line->source, at);
  arrival.writes.push_back(cursor_write(*line->source, line->version, at));
  Context ctx = source_context(*line->source);
  auto taken =
      co_await services_.ingress->receive(std::move(ctx), line->source, std::move(arrival));
  if (taken.ok() && !taken->repeated) {
    ++line->version;
    line->fired = at;
    co_return true;
  }
  if (!taken.ok()) {
    put_off(line, taken.error());
    if (may_pass(taken.error())) {
      co_return false;
    }
  }
  auto moved = co_await move_on(line, at);  // refused for good, or it was there before
  if (!moved.ok()) {
    put_off(line, moved.error());
  }
  co_return moved.ok();
}

Task<std::uint64_t> Scheduler::see_to(SourcePtr source) {
  const Key key{source->tenant, source->name};
  auto found = lines_.find(key);
  runtime::Clock& clock = runtime::Executor::current()->clock();
  if (found != lines_.end() && clock.instant() < found->second.not_before) {
    co_return 0;
  }
  if (found == lines_.end() || found->second.source != source) {
    auto loaded = co_await load(source);
    if (!loaded.ok()) {
      Line& lost = lines_[key];
      lost.source = source;
      put_off(&lost, loaded.error());
      lost.source = nullptr;
      co_return 0;
    }
    found = lines_.insert_or_assign(key, std::move(*loaded)).first;
  }
  Line& line = found->second;
  const Time now = clock.now();
  const auto& schedule = static_cast<const Schedule&>(*source->settings);
  std::uint64_t fired = 0;
  if (line.fired - now > in_time) {
    auto moved = co_await come_back(&line, now);
    if (!moved.ok()) {
      put_off(&line, moved.error());
      line.source = nullptr;
      co_return 0;
    }
  }
  const auto due = schedule.due(line.fired, now);
  for (const Time at : due) {
    const bool moved = co_await fire(&line, at);
    if (!moved) {
      line.source = nullptr;  // read again what is in the store, after the pause
      co_return fired;
    }
    ++fired;
  }
  co_return fired;
}

Task<std::uint64_t> Scheduler::round(Context ctx) {
  const auto sources = services_.sources->of_kind("schedule");
  std::set<Key> there;
  std::uint64_t fired = 0;
  for (const auto& source : sources) {
    there.emplace(source->tenant, source->name);
    if (ctx.cancelled()) {
      break;
    }
    const auto count = co_await see_to(source);
    fired += count;
  }
  std::erase_if(lines_, [&](const auto& line) { return !there.contains(line.first); });
  co_return fired;
}

}  // namespace aios::ingress
