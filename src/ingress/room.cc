// SPDX-License-Identifier: Apache-2.0
#include "ingress/detail/room.h"

#include <fmt/format.h>

#include <algorithm>

namespace aios::ingress {
namespace {

constexpr Duration pause = std::chrono::seconds(2);
/// A count reads the store: once a second is enough, for a second brings no more than thousands.
constexpr Duration count_period = std::chrono::seconds(1);
/// So long a tenant counts as one that sends.
constexpr Duration sends_for = std::chrono::hours(1);
/// Beside its bytes an event, a run or a task has so many in the store, or more.
constexpr std::uint64_t event_bytes_least = 1'000;
constexpr std::uint64_t commits_together = 256;
/// Of InboxBounds::delta_share one tenant may have so much while others send too.
constexpr double tenant_share = 0.5;

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

void Room::Shares::let_in(const TenantId& tenant, std::uint64_t bytes,
                          const store::StoreStats& stats, Instant now) {
  Of& of = tenants_[tenant];
  of.bytes += bytes;
  of.last = now;
  all_ += bytes;
  const std::uint64_t sequence = stats.sequence + 1;
  if (!let_in_.empty() && let_in_.back().tenant == tenant &&
      sequence - let_in_.back().sequence < commits_together) {
    let_in_.back().bytes += bytes;
    return;
  }
  let_in_.push_back({sequence, tenant, bytes});
}

void Room::Shares::forget_folded(std::uint64_t folded) {
  while (!let_in_.empty() && let_in_.front().sequence <= folded) {
    const LetIn& first = let_in_.front();
    tenants_[first.tenant].bytes -= first.bytes;
    all_ -= first.bytes;
    let_in_.pop_front();
  }
}

double Room::Shares::part_of(const TenantId& tenant) const {
  const auto of = tenants_.find(tenant);
  return of == tenants_.end() || all_ == 0
             ? 0
             : static_cast<double>(of->second.bytes) / static_cast<double>(all_);
}

bool Room::Shares::others_send(const TenantId& tenant, Instant now) const {
  return std::any_of(tenants_.begin(), tenants_.end(), [&](const auto& one) {
    return one.first != tenant && now - one.second.last < sends_for;
  });
}

/// Who fills the backlog alone is held back before those who send little meet its bound.
std::optional<Error> Room::above_share(const TenantId& tenant, std::uint64_t bytes,
                                       const store::StoreStats& stats) {
  const InboxBounds& bounds = services_.bounds;
  const Instant now = runtime::Executor::current()->clock().instant();
  const double most =
      static_cast<double>(stats.delta_bytes_max) * bounds.delta_share * tenant_share;
  const std::lock_guard lock(mutex_);
  shares_.forget_folded(stats.folded);
  const double own = static_cast<double>(stats.delta_bytes) * shares_.part_of(tenant);
  if (own > most && shares_.others_send(tenant, now)) {
    return no_room(
        fmt::format("of what the store has to fold {:.0f} bytes are this tenant's, above "
                    "{:.0f} nothing more of it is taken while others send too",
                    own, most));
  }
  shares_.let_in(tenant, bytes + event_bytes_least, stats, now);
  return std::nullopt;
}

std::optional<Error> Room::above_share(const TenantId& tenant, std::uint64_t bytes) {
  return above_share(tenant, bytes, services_.store->stats());
}

Task<std::optional<Error>> Room::full(Context ctx, std::uint64_t bytes) {
  const InboxBounds& bounds = services_.bounds;
  const auto stats = services_.store->stats();
  const auto bytes_max =
      static_cast<std::uint64_t>(static_cast<double>(stats.delta_bytes_max) * bounds.delta_share);
  if (stats.delta_bytes > bytes_max) {
    co_return no_room(fmt::format("the store has {} bytes to fold, above {} no events are taken",
                                  stats.delta_bytes, bytes_max));
  }
  if (auto above = above_share(ctx.tenant, bytes, stats)) {
    co_return std::move(above);
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
