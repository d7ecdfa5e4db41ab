// SPDX-License-Identifier: Apache-2.0
#include "connectors/detail/gate.h"

#include <fmt/format.h>

namespace aios::connectors::detail {

namespace {

constexpr std::size_t waiting_max = 1'000;

Error too_many(std::uint32_t places) {
  return Error(Code::resource_exhausted,
               fmt::format("{} calls already wait for one of the connector's {} places",
                           waiting_max, places),
               Retry::same_call)
      .page(909)
      .after(std::chrono::seconds(1));
}

Error is_open(Duration pause) {
  return Error(Code::unavailable, "the connector's breaker is open after repeated failures",
               Retry::same_call)
      .page(908)
      .after(pause);
}

}  // namespace

Result<void> Gate::admits(runtime::Clock& clock) const {
  std::lock_guard lock(mutex_);
  if (taken_ >= limits_.concurrency && waiting_.size() >= waiting_max) {
    return too_many(limits_.concurrency);
  }
  runtime::Breaker as_it_is = breaker_;  // to ask is to become the one who probes
  const auto pause = as_it_is.blocked(clock.instant());
  return pause ? Result<void>(is_open(*pause)) : Result<void>();
}

Task<Result<Gate::Pass>> Gate::enter(Context ctx, runtime::Clock& clock) {
  runtime::OneShot<Turn> turn;
  bool wait = false;
  {
    std::lock_guard lock(mutex_);
    wait = taken_ >= limits_.concurrency;
    if (wait && waiting_.size() >= waiting_max) {
      co_return too_many(limits_.concurrency);
    }
    if (wait) {
      waiting_.push_back(turn);
    } else {
      ++taken_;
    }
  }
  if (wait) {
    auto waited = co_await turn.wait(std::move(ctx));
    if (!waited.ok()) {
      co_return std::move(waited).error().with("waiting for one of the connector's places");
    }
  }
  std::lock_guard lock(mutex_);
  const auto pause = breaker_.blocked(clock.instant());
  if (!pause) {
    const bool closed = breaker_.state() == runtime::Breaker::State::closed;
    co_return closed ? Pass::normal : Pass::probe;
  }
  give_place();
  co_return is_open(*pause);
}

void Gate::give_place() {
  while (!waiting_.empty()) {
    const auto next = std::move(waiting_.front());
    waiting_.pop_front();
    if (next.set(Turn{})) {
      return;  // it has the place
    }
  }
  --taken_;
}

bool Gate::leave(Health health, runtime::Clock& clock) {
  std::lock_guard lock(mutex_);
  const bool closed_before = breaker_.state() == runtime::Breaker::State::closed;
  if (health == Health::good) {
    breaker_.success();
  } else if (health == Health::bad) {
    breaker_.failure(clock.instant());
  }
  give_place();
  return !closed_before && breaker_.state() == runtime::Breaker::State::closed;
}

std::string Gate::breaker_state() const {
  std::lock_guard lock(mutex_);
  switch (breaker_.state()) {
    case runtime::Breaker::State::closed: return "closed";
    case runtime::Breaker::State::open: return "open";
    case runtime::Breaker::State::half_open: return "half_open";
  }
  return "closed";
}

Gate::Health health_of(Outcome outcome, const Error* error) {
  if (outcome == Outcome::done || error == nullptr) {
    return Gate::Health::good;
  }
  if (error->page() == 905 || error->page() == 1065) {
    return Gate::Health::
        no_word;  // it answered; that nobody can read it may be the manifest's fault
  }
  switch (error->code()) {
    case Code::unavailable:
    case Code::deadline_exceeded:
    case Code::data_loss: return Gate::Health::bad;
    case Code::cancelled:
    case Code::resource_exhausted:
    case Code::internal: return Gate::Health::no_word;
    default: break;
  }
  const bool answered = error->page() == 904 || error->page() == 911 || error->page() == 1066;
  return answered ? Gate::Health::good : Gate::Health::no_word;
}

}  // namespace aios::connectors::detail
