// SPDX-License-Identifier: Apache-2.0
// When a call that is not settled is looked at again.
#include "workflow/detail/engine_impl.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace aios::workflow {

void note_sent(LiveRun& run, runtime::Clock& clock, Duration before) {
  auto& effect = *run.state.effect;
  effect.sent_at = std::max(effect.sent_at.value_or(Time{}), clock.now() - before);
  if (std::exchange(run.left_of, effect.id) != effect.id) {
    run.left_at.reset();
  }
  run.left_at = std::max(run.left_at.value_or(Instant{}), clock.instant() + -before);
}

void note_loaded(LiveRun& run, runtime::Clock& clock, Instant process_begun) {
  if (const auto& effect = run.state.effect; effect && effect->sent_at) {
    const Duration by_wall = std::max(clock.now() - *effect->sent_at, Duration(0));
    run.left_at = clock.instant() + -std::min(by_wall, clock.instant() - process_begun);
    run.left_of = effect->id;
  }
}

bool knows_sent(const LiveRun& run) { return run.left_at && run.left_of == run.state.effect->id; }

Duration since_sent(const LiveRun& run, runtime::Clock& clock) {
  return knows_sent(run) ? clock.instant() - *run.left_at : Duration(0);
}

/// Longer with each try and look-up.
Duration Engine::Impl::pause_of(LiveRun& run, const CallPlan& plan) const {
  const auto& effect = *run.state.effect;
  const auto asked = effect.attempt + effect.lookups;
  const auto tries = std::clamp<std::uint32_t>(asked, 1, 60);
  const bool slow = asked > plan.backoff.retries_max;
  const auto cap = static_cast<double>((slow ? unknown_pause_max : plan.backoff.cap).count());
  const auto grown = static_cast<double>(plan.backoff.first.count()) *
                     std::pow(plan.backoff.factor, static_cast<double>(tries - 1));
  const auto most = std::min(grown, cap);
  const auto share = 0.5 + 0.5 * run.shard->executor.random().unit();
  return Duration(static_cast<std::int64_t>(most * share));
}

/// It was not found, and its request may still be on its way.
void Engine::Impl::ask_again(LiveRun& run, const CallPlan& plan, Time settled) {
  const auto pause = std::max(pause_of(run, plan), plan.timeout);
  const Error error(Code::unavailable, fmt::format("it is not there, and may still come until {}",
                                                   to_rfc3339(settled)));
  wait_for(run, Waiting::Reason::lookup, std::min(settled, clock(run).now() + pause), error);
}

void Engine::Impl::retry_later(LiveRun& run, const CallPlan& plan, const Error& error) {
  const auto& effect = *run.state.effect;
  const auto now = clock(run).now();
  auto pause = pause_of(run, plan);
  if (error.retry_after()) {
    pause = std::clamp<Duration>(*error.retry_after(), pause, std::chrono::hours(1));
  }
  auto until = now + std::max<Duration>(pause, std::chrono::milliseconds(1));
  auto reason = Waiting::Reason::retry;
  if (effect.maybe_happened && plan.effect == EffectClass::lookup) {
    reason = Waiting::Reason::lookup;
    until = std::max(until, now + (plan.timeout - since_sent(run, clock(run))));
  }
  wait_for(run, reason, until, error);
}

void Engine::Impl::wait_for(LiveRun& run, Waiting::Reason reason, Time until, const Error& error) {
  Waiting waiting;
  waiting.reason = reason;
  waiting.since = clock(run).now();
  waiting.wake_at = until;
  waiting.error = error.text();
  run.state.waiting = std::move(waiting);
}

}  // namespace aios::workflow
