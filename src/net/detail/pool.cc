// SPDX-License-Identifier: Apache-2.0
#include "net/detail/pool.h"

#include "runtime/executor.h"

#include <fmt/format.h>

namespace aios::net::detail {

namespace {

Instant now() { return runtime::Executor::current()->clock().instant(); }

}  // namespace

std::unique_ptr<ClientSocket> Pool::take_kept(Origin& origin) {
  while (!origin.kept.empty()) {
    Kept last = std::move(origin.kept.back());  // the warmest
    origin.kept.pop_back();
    if (last.since + idle_timeout_ > now() && !last.socket->stale()) {
      return std::move(last.socket);
    }
  }
  return nullptr;
}

Task<Result<Pool::Place>> Pool::enter(Context ctx, std::string origin_name) {
  Origin& origin = origins_.try_emplace(origin_name, connections_max_).first->second;
  auto entered = co_await origin.turnstile.enter(std::move(ctx));
  if (!entered.ok() && entered.error().code() == Code::resource_exhausted) {
    co_return Error(
        Code::resource_exhausted,
        fmt::format("{} calls already wait for a connection to {}", waiting_max, origin_name),
        Retry::same_call)
        .page(315);
  }
  if (!entered.ok()) {
    co_return std::move(entered).error().with("waiting for a connection to " + origin_name);
  }
  Place place;
  place.pass = std::move(*entered);
  place.socket = take_kept(origin);
  place.origin = std::move(origin_name);
  co_return place;
}

void Pool::leave(Place place, bool keep) {
  if (keep && place.socket) {
    Origin& origin = origins_.at(place.origin);  // the pass keeps it
    origin.kept.push_back({.socket = std::move(place.socket), .since = now()});
    arm_sweep();
  }
}

void Pool::arm_sweep() {
  if (sweeping_) {
    return;
  }
  sweeping_ = true;
  runtime::Executor::current()->call_at(now() + idle_timeout_, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) {
      self->sweeping_ = false;
      self->sweep();
    }
  });
}

/// Closes what was kept too long, and forgets origins that nobody uses.
void Pool::sweep() {
  const Instant at_now = now();
  bool some_left = false;
  for (auto at = origins_.begin(); at != origins_.end();) {
    auto& [name, origin] = *at;
    std::erase_if(origin.kept, [this, at_now](const Kept& kept) {
      return kept.since + idle_timeout_ <= at_now;
    });
    some_left = some_left || !origin.kept.empty();
    const bool unused = origin.kept.empty() && origin.turnstile.idle();
    at = unused ? origins_.erase(at) : std::next(at);
  }
  if (some_left) {
    arm_sweep();
  }
}

}  // namespace aios::net::detail
