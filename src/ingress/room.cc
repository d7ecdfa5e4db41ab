// SPDX-License-Identifier: Apache-2.0
#include "ingress/detail/room.h"

#include <fmt/format.h>

namespace aios::ingress {
namespace {

constexpr Duration pause = std::chrono::seconds(2);
/// A count reads the store: once a second is enough, for a second brings no more than thousands.
constexpr Duration count_period = std::chrono::seconds(1);

Error no_room(std::string message) {
  return Error(Code::unavailable, std::move(message), Retry::same_call).page(1207).after(pause);
}

}  // namespace

/// Of a tenant whose runs have no place now: those that are under way or wait for one.
Task<std::uint64_t> Room::waiting_runs(Context ctx) {
  const Instant now = runtime::Executor::current()->clock().instant();
  {
    const std::lock_guard lock(mutex_);
    auto& counted = counted_[ctx.tenant];
    if (counted.at.ns != 0 && now - counted.at < count_period) {
      co_return counted.runs;
    }
    counted.at = now;  // who comes meanwhile goes by the count before
  }
  store::ListQuery query;
  query.kind = store::StreamKind::run;
  query.status = "running";
  auto runs = co_await services_.store->count(ctx, query);
  const std::lock_guard lock(mutex_);
  auto& counted = counted_[ctx.tenant];
  if (runs.ok()) {
    counted.runs = *runs;
  }
  co_return counted.runs;
}

Task<std::optional<Error>> Room::full(Context ctx) {
  const InboxBounds& bounds = services_.bounds;
  const auto stats = services_.store->stats();
  const auto bytes_max =
      static_cast<std::uint64_t>(static_cast<double>(stats.delta_bytes_max) * bounds.delta_share);
  if (stats.delta_bytes > bytes_max) {
    co_return no_room(fmt::format("the store has {} bytes to fold, above {} no events are taken",
                                  stats.delta_bytes, bytes_max));
  }
  if (!services_.engine->runs_wait(ctx.tenant)) {
    co_return std::nullopt;
  }
  const auto waiting = co_await waiting_runs(ctx);
  if (waiting > bounds.waiting_runs_max) {
    co_return no_room(
        fmt::format("{} runs are under way or wait for a place, above {} no events "
                    "are taken",
                    waiting, bounds.waiting_runs_max));
  }
  co_return std::nullopt;
}

}  // namespace aios::ingress
