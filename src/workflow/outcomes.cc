// SPDX-License-Identifier: Apache-2.0
// Outcome classes: what is known of a call after an attempt, and what follows from that. What is
// not known is asked or left to a person, never guessed.
#include "workflow/detail/engine_impl.h"
#include "workflow/detail/payments.h"

#include <algorithm>
#include <utility>

namespace aios::workflow {
namespace {

/// How long a blocked or unknown effect is tried again before a person must look.
constexpr Duration unsettled_max = std::chrono::hours(24);

Error error_of(const CallOutcome& outcome) {
  if (outcome.error) {
    return *outcome.error;
  }
  return Error(Code::internal, "the call failed without saying why");
}

}  // namespace

void Engine::Impl::collect(LiveRun& run, CallOutcome& outcome, EffectClass effect_class) {
  std::move(outcome.leaves.begin(), outcome.leaves.end(), std::back_inserter(run.leaves));
  std::move(outcome.writes.begin(), outcome.writes.end(), std::back_inserter(run.writes));
  run.answered_status = outcome.status;
  const auto word = name_of(outcome.outcome);
  metrics.effect(effect_class, outcome.blocked ? "blocked" : word);
  if (effect_class != EffectClass::local && !outcome.blocked) {
    const auto& effect = *run.state.effect;
    JsonObject data{{"step", effect.step},
                    {"effect", effect.id},
                    {"attempt", effect.attempt},
                    {"outcome", word}};
    if (outcome.error) {
      data["error"] = outcome.error->text();
    }
    note(run, RunEvent::effect_result, std::move(data));
  }
  if (effect_class != EffectClass::local) {
    settle_money(run, run.state.effect->id,
                 outcome.blocked ? std::optional<std::int64_t>(0) : outcome.spent_nano);
  }
  if (!outcome.inference.empty()) {
    remember(run.state.inferences, std::move(outcome.inference));
  }
  if (!outcome.retrieval.empty()) {
    remember(run.state.retrievals, std::move(outcome.retrieval));
  }
  if (!outcome.connector_result.empty()) {
    remember_result(run.state, std::move(outcome.connector_result));
  }
  run.state.labels |= outcome.labels;
  run.ctx.labels |= outcome.labels;
}

void Engine::Impl::settle(LiveRun& run, const CallPlan& plan, CallOutcome outcome) {
  auto& effect = *run.state.effect;
  if (outcome.outcome == Outcome::done) {
    machine(run).call_done(std::move(outcome.result));
    return;
  }
  const auto error = error_of(outcome);
  if (outcome.blocked || outcome.spared) {
    effect.attempt -= effect.attempt > 0 ? 1 : 0;
    const auto now = clock(run).now();
    effect.first_at = effect.first_at.value_or(now);
    const Duration waited = now - *effect.first_at;
    if (waited >= unsettled_max) {
      give_up(run, plan.effect, error);
      return;
    }
    // Longer and longer: a secret may be missing for a day.
    const Duration asked = error.retry_after().value_or(std::chrono::seconds(1));
    const auto pause = std::max<Duration>(asked, waited / 8);
    wait_for(run, Waiting::Reason::blocked,
             now + std::clamp<Duration>(pause, std::chrono::milliseconds(10), unknown_pause_max),
             error);
    await_peer(run, plan, error);
  } else if (outcome.outcome == Outcome::unknown) {
    settle_unknown(run, plan, error);
  } else {
    settle_failed(run, plan, error);
  }
}

void Engine::Impl::settle_unknown(LiveRun& run, const CallPlan& plan, const Error& error) {
  auto& effect = *run.state.effect;
  if (!acts(plan.effect)) {
    const Error again(error.code(), error.message(), Retry::same_call);
    settle_failed(run, plan, again);
    return;
  }
  effect.maybe_happened = true;
  const auto now = clock(run).now();
  const bool tried_long = now - effect.first_at.value_or(now) >= unsettled_max;
  if (plan.effect == EffectClass::none || tried_long) {
    open_incident(run, error);
    return;
  }
  retry_later(run, plan, error);
}

void Engine::Impl::settle_failed(LiveRun& run, const CallPlan& plan, const Error& error) {
  auto& effect = *run.state.effect;
  if (error.retry() == Retry::never) {
    // It answers for this try alone: a peer may refuse (a withdrawn right, a proxy in front) before
    // it looks at the key. What an earlier try did stays open, unless the peer was asked.
    give_up(run, plan.effect, error);
    return;
  }
  if (effect.maybe_happened) {
    settle_unknown(run, plan, error);
    return;
  }
  if (effect.attempt > plan.backoff.retries_max) {
    give_up(run, plan.effect, error);
    return;
  }
  retry_later(run, plan, error);
}

/// The error goes to the document, unless nobody knows what happened outside: then to a person.
void Engine::Impl::give_up(LiveRun& run, EffectClass effect_class, const Error& error) {
  auto& effect = *run.state.effect;
  if (effect.maybe_happened && acts(effect_class)) {
    open_incident(run, error);
    return;
  }
  const int status = std::exchange(run.answered_status, 0);
  auto problem = problem_of(error, effect.step);
  if (status != 0) {  // what the other system said, whatever its code would stand for
    problem = make_problem(ProblemType::communication, problem.detail, effect.step);
    problem.status = status;
  }
  machine(run).call_failed(std::move(problem));
}

}  // namespace aios::workflow
