// SPDX-License-Identifier: Apache-2.0
#include "net/detail/pool.h"

#include "runtime/executor.h"

#include <fmt/format.h>

namespace aios::net::detail {

namespace {

constexpr std::size_t waiting_max = 10'000;

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
  Origin& origin = origins_[origin_name];
  if (origin.places >= connections_max_ || !origin.waiting.empty()) {
    if (origin.waiting.size() >= waiting_max) {
      co_return Error(
          Code::resource_exhausted,
          fmt::format("{} calls already wait for a connection to {}", waiting_max, origin_name),
          Retry::same_call)
          .page(315);
    }
    runtime::OneShot<Nothing> turn;
    origin.waiting.push_back(turn);
    auto waited = co_await turn.wait(ctx);
    if (!waited.ok()) {
      co_return std::move(waited).error().with("waiting for a connection to " + origin_name);
    }
    // The place of the one who left is ours now: leave() did not give it up.
  } else {
    ++origin.places;
  }
  Place place;
  place.socket = take_kept(origin);
  place.origin = std::move(origin_name);
  co_return place;
}

void Pool::leave(Place place, bool keep) {
  Origin& origin = origins_[place.origin];
  if (keep && place.socket) {
    origin.kept.push_back({.socket = std::move(place.socket), .since = now()});
    arm_sweep();
  }
  while (!origin.waiting.empty()) {
    auto next = std::move(origin.waiting.front());
    origin.waiting.pop_front();
    if (next.set(Nothing{})) {
      return;  // it has the place
    }
  }
  --origin.places;
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
    const bool unused = origin.kept.empty() && origin.places == 0 && origin.waiting.empty();
    at = unused ? origins_.erase(at) : std::next(at);
  }
  if (some_left) {
    arm_sweep();
  }
}

}  // namespace aios::net::detail
