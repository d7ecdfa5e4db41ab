// SPDX-License-Identifier: Apache-2.0
// Calls: the effect fence and the outcome classes. The rule behind every line: what may have
// happened outside is in the store before it can happen, and what is not known is asked or left to
// a person, never guessed.
#include "govern/audit.h"
#include "workflow/detail/engine_impl.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace aios::workflow {
namespace {

/// How long a blocked or unknown effect is tried again before a person must look.
constexpr Duration unsettled_max = std::chrono::hours(24);

Error unknown_after_crash() {
  return Error(Code::unavailable, "the server ended while the call was under way",
               Retry::same_call);
}

Error error_of(const CallOutcome& outcome) {
  if (outcome.error) {
    return *outcome.error;
  }
  return Error(Code::internal, "the call failed without saying why");
}

}  // namespace

CallRequest Engine::Impl::request_of(const LiveRun& run) const {
  const auto& effect = *run.state.effect;
  CallRequest out;
  out.run_id = run.id;
  out.step = effect.step;
  out.effect_id = effect.id;
  out.attempt = std::max<std::uint32_t>(effect.attempt, 1);
  out.subject = run.state.subject;
  out.arguments = effect.arguments;
  out.run["workflow"] = run.state.workflow;
  out.run["id"] = run.id;
  out.run["step"] = effect.step;
  out.run["inferences"] = run.state.inferences;
  out.run["retrievals"] = run.state.retrievals;
  out.run["reviews"] = run.state.reviews;
  return out;
}

Context Engine::Impl::attempt_context(const LiveRun& run, const CallPlan& plan) {
  auto& at = clock(run);
  auto limit = plan.timeout;
  const auto cut = [&](const std::optional<Time>& deadline) {
    if (deadline) {
      limit = std::clamp(*deadline - at.now(), Duration(0), limit);
    }
  };
  cut(run.state.deadline);
  for (const auto& frame : run.state.frames) {
    cut(frame.entered ? frame.deadline : std::nullopt);
  }
  return run.ctx.until(at.instant() + limit);
}

Task<Next> Engine::Impl::call(RunPtr run) {
  auto& effect = *run->state.effect;
  const auto found = functions.find(effect.function);
  if (found == functions.end()) {
    auto problem = make_problem(ProblemType::configuration,
                                fmt::format("no function '{}'", effect.function), effect.step);
    machine(*run).call_failed(std::move(problem));
    co_return Next::advance;
  }
  auto request = request_of(*run);
  auto plan = found->second->plan(run->ctx, request);
  if (!plan.ok()) {
    const auto assumed = effect.maybe_happened || effect.phase == EffectState::Phase::intent
                             ? EffectClass::none
                             : EffectClass::read;
    effect.maybe_happened = assumed == EffectClass::none;
    give_up(*run, assumed, plan.error());
    co_return Next::advance;
  }
  if (plan->effect == EffectClass::local) {
    const auto done = co_await call_local(run, found->second.get(), *plan);
    co_return done;
  }
  const auto next = co_await call_outside(run, found->second.get(), *plan);
  co_return next;
}

/// The drain deadline passed before the call ended: the run stays as it was saved, as after a
/// crash, and the next start finds out by the effect's class.
bool Engine::Impl::left_by_stop(const RunPtr& run) {
  if (!cutting) {
    return false;
  }
  forget(run);
  return true;
}

/// Nothing leaves the process: no intent, and a crash before the next fence repeats it.
Task<Next> Engine::Impl::call_local(RunPtr run, Function* function, CallPlan plan) {
  auto& effect = *run->state.effect;
  ++effect.attempt;
  auto request = request_of(*run);
  const Context ctx = attempt_context(*run, plan);
  std::vector<store::AuditLeaf> refused;
  auto prepared = co_await function->prepare(ctx, request, &refused);
  std::move(refused.begin(), refused.end(), std::back_inserter(run->leaves));
  if (!prepared.ok()) {
    if (left_by_stop(run)) {
      co_return Next::lost;
    }
    note(*run, RunEvent::effect_refused,
         {{"step", effect.step}, {"error", prepared.error().text()}});
    give_up(*run, EffectClass::local, prepared.error());
    co_return Next::advance;
  }
  std::move(prepared->intent.begin(), prepared->intent.end(), std::back_inserter(run->leaves));
  auto ready = std::move(*prepared);
  auto outcome = co_await function->perform(ctx, std::move(ready), std::move(request));
  if (outcome.outcome != Outcome::done && left_by_stop(run)) {
    co_return Next::lost;
  }
  collect(*run, outcome, EffectClass::local);
  if (!outcome.wait_for_review.empty()) {
    Waiting waiting;
    waiting.reason = Waiting::Reason::review;
    waiting.since = clock(*run).now();
    waiting.subject = outcome.wait_for_review;
    run->state.waiting = std::move(waiting);
    co_return Next::advance;
  }
  if (outcome.outcome == Outcome::unknown) {
    outcome.outcome = Outcome::failed;  // nothing left the process: what failed did not happen
  }
  settle(*run, plan, std::move(outcome));
  co_return Next::advance;
}

/// True: no earlier try of it can have happened. False: settled or parked.
Task<bool> Engine::Impl::clear_to_send(RunPtr run, Function* function, CallPlan plan) {
  auto& effect = *run->state.effect;
  if (effect.phase == EffectState::Phase::intent) {
    effect.phase = EffectState::Phase::fresh;
    effect.maybe_happened = plan.effect != EffectClass::read;
    if (plan.effect == EffectClass::none) {
      open_incident(*run, unknown_after_crash());
      co_return false;
    }
  }
  if (run->state.from_backup && plan.effect > EffectClass::read && !effect.maybe_happened) {
    doubt(*run);
  }
  if (effect.maybe_happened && plan.effect == EffectClass::none) {
    open_incident(*run,
                  Error(Code::failed_precondition,
                        run->state.from_backup
                            ? "the call may have happened after the backup was made that this "
                              "run came from"
                            : "an earlier try may have happened"));
    co_return false;
  }
  if (effect.maybe_happened && plan.effect == EffectClass::lookup) {
    const bool absent = co_await ask_whether_happened(run, function, plan);
    co_return absent;
  }
  co_return true;
}

/// The intent is committed and nothing came of it: to be told from one whose end nobody saw.
void Engine::Impl::not_sent(LiveRun& run) {
  const auto& effect = *run.state.effect;
  govern::LeafFacts facts;
  facts.kind = "effect_outcome";
  facts.stream = run.id;
  facts.step = effect.step;
  facts.outcome = "not_sent";
  facts.facts["effect_id"] = effect.id;
  facts.facts["attempt"] = effect.attempt;
  run.leaves.push_back(govern::make_leaf(run.ctx, clock(run).now(), facts));
}

Task<Next> Engine::Impl::call_outside(RunPtr run, Function* function, CallPlan plan) {
  const bool clear = co_await clear_to_send(run, function, plan);
  if (!clear) {
    co_return Next::advance;
  }
  auto& effect = *run->state.effect;
  std::vector<store::AuditLeaf> refused;
  auto request = request_of(*run);
  request.attempt = effect.attempt + 1;
  auto prepared = co_await function->prepare(run->ctx, request, &refused);
  std::move(refused.begin(), refused.end(), std::back_inserter(run->leaves));
  if (!prepared.ok()) {
    if (left_by_stop(run)) {
      co_return Next::lost;
    }
    note(*run, RunEvent::effect_refused,
         {{"step", effect.step}, {"error", prepared.error().text()}});
    give_up(*run, plan.effect, prepared.error());
    co_return Next::advance;
  }
  ++effect.attempt;
  if (prepared->blocked) {
    CallOutcome turned_away;
    turned_away.outcome = Outcome::failed;
    turned_away.blocked = true;
    turned_away.error = std::move(prepared->blocked);
    collect(*run, turned_away, plan.effect);
    settle(*run, plan, std::move(turned_away));
    co_return Next::advance;
  }
  const auto now = clock(*run).now();
  effect.phase = EffectState::Phase::intent;
  effect.sent_at = now;
  effect.first_at = effect.first_at.value_or(now);
  if (!seal(*run)) {
    co_return Next::advance;  // to its end: the effect is gone, and nothing was sent
  }
  std::move(prepared->intent.begin(), prepared->intent.end(), std::back_inserter(run->leaves));
  note_fence(*run, RunEvent::effect_intended,
             {{"step", effect.step},
              {"effect", effect.id},
              {"attempt", effect.attempt},
              {"class", name_of(plan.effect)}});
  const auto saved = co_await commit(run);
  if (saved != Saved::durable) {
    co_return saved == Saved::faulted ? Next::advance : Next::lost;
  }
  if (run->cancel_requested || stopping) {
    effect.phase = EffectState::Phase::fresh;
    not_sent(*run);
    --effect.attempt;
    co_return Next::advance;
  }
  const Context ctx = attempt_context(*run, plan);
  auto ready = std::move(*prepared);
  run->acting = plan.effect != EffectClass::read;
  auto outcome = co_await function->perform(ctx, std::move(ready), std::move(request));
  run->acting = false;
  if (run->cancel_requested && outcome.outcome == Outcome::done &&
      plan.effect > EffectClass::read) {
    run->cancel_reason +=
        fmt::format("; {} was under way and has happened (effect {})", effect.step, effect.id);
  }
  if (outcome.outcome != Outcome::done && left_by_stop(run)) {
    co_return Next::lost;
  }
  effect.phase = EffectState::Phase::fresh;
  collect(*run, outcome, plan.effect);
  settle(*run, plan, std::move(outcome));
  co_return Next::advance;
}

/// True: it certainly did not happen, send it (again). False: settled or parked.
Task<bool> Engine::Impl::ask_whether_happened(RunPtr run, Function* function, CallPlan plan) {
  auto& effect = *run->state.effect;
  const auto now = clock(*run).now();
  effect.sent_at = effect.sent_at.value_or(now);
  // A request may still be on its way or at work: ask when its own time is over. Before the
  // window after that has passed too, only "it happened" is believed.
  const auto earliest = *effect.sent_at + plan.timeout;
  if (now < earliest) {
    wait_for(*run, Waiting::Reason::lookup, earliest,
             Error(Code::unavailable, "it is not known whether the call happened"));
    co_return false;
  }
  std::vector<store::AuditLeaf> refused;
  auto request = request_of(*run);
  request.purpose = connectors::Purpose::lookup;
  auto prepared = co_await function->prepare(run->ctx, request, &refused);
  std::move(refused.begin(), refused.end(), std::back_inserter(run->leaves));
  if (!prepared.ok()) {
    give_up(*run, plan.effect, prepared.error());
    co_return false;
  }
  const Context ctx = attempt_context(*run, plan);
  auto ready = std::move(*prepared);
  // A look-up changes nothing outside, so it has no fence: its leaf goes with what follows.
  auto answer = co_await function->lookup(ctx, std::move(ready), std::move(request));
  std::move(answer.leaves.begin(), answer.leaves.end(), std::back_inserter(run->leaves));
  if (answer.error) {
    metrics.effect(plan.effect, "lookup_failed");
    ++effect.lookups;
    settle_unknown(*run, plan, *answer.error);
    await_peer(*run, plan, *answer.error);
    co_return false;
  }
  if (!answer.result) {
    metrics.effect(plan.effect, "lookup_absent");
    const auto settled = *effect.sent_at + plan.timeout + plan.settle;
    if (now < settled) {
      ++effect.lookups;
      ask_again(*run, plan, settled);
      co_return false;
    }
    effect.maybe_happened = false;
    effect.lookups = 0;
    run->state.from_backup = false;  // it had not come so far, so nothing after it happened either
    co_return true;
  }
  metrics.effect(plan.effect, "lookup_found");
  note(*run, RunEvent::effect_result,
       {{"step", effect.step}, {"effect", effect.id}, {"outcome", "done"}, {"by", "lookup"}});
  machine(*run).call_done(std::move(*answer.result));
  co_return false;
}

void Engine::Impl::collect(LiveRun& run, CallOutcome& outcome, EffectClass effect_class) {
  std::move(outcome.leaves.begin(), outcome.leaves.end(), std::back_inserter(run.leaves));
  std::move(outcome.writes.begin(), outcome.writes.end(), std::back_inserter(run.writes));
  const auto word = outcome.outcome == Outcome::done     ? "done"
                    : outcome.outcome == Outcome::failed ? "failed"
                                                         : "unknown";
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
  if (!outcome.inference.empty()) {
    remember(run.state.inferences, std::move(outcome.inference));
  }
  if (!outcome.retrieval.empty()) {
    remember(run.state.retrievals, std::move(outcome.retrieval));
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
  if (plan.effect == EffectClass::read || plan.effect == EffectClass::local) {
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
  const bool harmless = effect_class == EffectClass::local || effect_class == EffectClass::read;
  if (effect.maybe_happened && !harmless) {
    open_incident(run, error);
    return;
  }
  auto problem = problem_of(error, effect.step);
  machine(run).call_failed(std::move(problem));
}

}  // namespace aios::workflow
