// SPDX-License-Identifier: Apache-2.0
// Calls: the effect fence. The rule behind every line: what may have happened outside is in the
// store before it can happen. What came of it is judged in outcomes.cc.
#include "core/broken.h"
#include "core/failpoint.h"
#include "core/text.h"
#include "govern/audit.h"
#include "govern/policy_input.h"
#include "workflow/detail/engine_impl.h"
#include "workflow/detail/payments.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace aios::workflow {
namespace {

/// Of a connector call: names of the bundle, for the call was planned.
constexpr std::string_view operation_members[] = {"connector", "operation"};

Error unknown_after_crash() {
  return Error(Code::unavailable, "the server ended while the call was under way",
               Retry::same_call);
}

/// What is there now neither knows of it nor honours its key.
Error went_elsewhere(const std::string& origin, const std::string& now) {
  return Error(Code::failed_precondition,
               fmt::format("the call may have happened at '{}', and the system is at '{}' now",
                           excerpt(origin, 200), excerpt(now, 200)))
      .page(1035);
}

}  // namespace

bool as_planned(const CallPlan& plan, const PreparedCall& prepared) {
  return !prepared.place ||
         (prepared.place->effect == plan.effect && prepared.place->origin == plan.origin);
}

CallRequest Engine::Impl::request_of(const LiveRun& run) const {
  const auto& effect = *run.state.effect;
  CallRequest out;
  out.run_id = run.id;
  out.step = effect.step;
  out.effect_id = effect.id;
  out.attempt = std::max<std::uint32_t>(effect.attempt, 1);
  out.subject = run.state.subject;
  out.arguments = effect.arguments;
  out.run = govern::held_run({{"workflow", run.state.workflow},
                              {"id", run.id},
                              {"step", effect.step},
                              {"inferences", run.state.inferences},
                              {"retrievals", run.state.retrievals},
                              {"results", run.state.results},
                              {"results_forgotten", run.state.results_forgotten},
                              {"reviews", run.state.reviews}});
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
  run->answered_status = 0;
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

/// Nothing was sent: policy or the function itself does not let it. The leaves go with the run's
/// next commit.
Next Engine::Impl::settle_refused(const RunPtr& run, EffectClass effect_class,
                                  govern::Refusal refusal) {
  if (left_by_stop(run)) {
    return Next::lost;
  }
  std::move(refusal.leaves.begin(), refusal.leaves.end(), std::back_inserter(run->leaves));
  const Error& error = refusal.error;
  if (error.code() == Code::budget_exceeded) {
    metrics.over_budget(run->state.workflow);
  }
  note(*run, RunEvent::effect_refused,
       {{"step", run->state.effect->step}, {"error", error.text()}});
  give_up(*run, effect_class, error);
  return Next::advance;
}

/// Nothing leaves the process: no intent, and a crash before the next fence repeats it.
Task<Next> Engine::Impl::call_local(RunPtr run, Function* function, CallPlan plan) {
  auto& effect = *run->state.effect;
  ++effect.attempt;
  auto request = request_of(*run);
  const Context ctx = attempt_context(*run, plan);
  auto prepared = co_await function->prepare(ctx, request);
  if (!prepared.ok()) {
    co_return settle_refused(run, EffectClass::local, std::move(prepared).refusal());
  }
  if (!as_planned(plan, *prepared)) {  // it needs a fence now
    --effect.attempt;
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
    waiting.wake_at = outcome.wait_until;
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
    effect.maybe_happened = acts(plan.effect);
    if (plan.effect == EffectClass::none) {
      open_incident(*run, unknown_after_crash());
      co_return false;
    }
  }
  if (run->state.from_backup && acts(plan.effect) && !effect.maybe_happened) {
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
  if (effect.maybe_happened && !effect.origin.empty() && effect.origin != plan.origin) {
    open_incident(*run, went_elsewhere(effect.origin, plan.origin));
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
  govern::LeafFacts facts(govern::LeafKind::effect_outcome);
  facts.stream = run.id;
  facts.step = effect.step;
  facts.outcome = "not_sent";
  facts.facts["effect_id"] = effect.id;
  facts.facts["attempt"] = effect.attempt;
  run.leaves.push_back(govern::make_leaf(run.ctx, clock(run).now(), facts));
  settle_money(run, effect.id, 0);
}

/// The attempt would be blocked now: there is no intent, and so no fence.
void Engine::Impl::turn_away(LiveRun& run, const CallPlan& plan, Error error) {
  CallOutcome turned_away;
  turned_away.outcome = Outcome::failed;
  turned_away.blocked = true;
  turned_away.error = std::move(error);
  collect(run, turned_away, plan.effect);
  settle(run, plan, std::move(turned_away));
}

/// Commits the intent with everything that led here. Only after `durable` may the attempt leave.
Task<Saved> Engine::Impl::raise_fence(RunPtr run, CallPlan plan, PreparedCall* prepared) {
  auto& effect = *run->state.effect;
  const auto now = clock(*run).now();
  effect.phase = EffectState::Phase::intent;
  note_sent(*run, clock(*run), Duration(0));
  effect.origin = plan.origin;
  effect.first_at = effect.first_at.value_or(now);
  if (!seal(*run)) {
    co_return Saved::faulted;  // the effect is gone, and nothing was sent
  }
  for (auto& leaf : std::exchange(prepared->intent, {})) {
    run->leaves.push_back(std::move(leaf));
  }
  JsonObject intended{{"step", effect.step},
                      {"effect", effect.id},
                      {"attempt", effect.attempt},
                      {"class", name_of(plan.effect)}};
  for (const std::string_view name : operation_members) {
    if (const auto* given = find(effect.arguments, name); given != nullptr && given->is_string()) {
      intended[name] = *given;
    }
  }
  note_fence(*run, RunEvent::effect_intended, std::move(intended));
  if constexpr (left_out("fence")) {
    co_return Saved::durable;
  }
  const auto saved = co_await commit(run);
  co_return saved;
}

/// The same for a call that costs money. Where no budget covers it, everything is as it was before.
Task<Saved> Engine::Impl::reserve_and_raise(RunPtr run, CallPlan plan, PreparedCall* prepared) {
  if (!prepared->payment) {
    const auto saved = co_await raise_fence(run, std::move(plan), prepared);
    co_return saved;
  }
  settle_abandoned(*run);  // of earlier tries: what follows is no part of it
  auto before = unsaved_of(*run);
  const auto id = run->state.effect->id;
  run->state.held.push_back({id, prepared->payment->reserving.reservation});
  run->reserving = prepared->payment->reserving.moves;
  const auto saved = co_await raise_fence(run, std::move(plan), prepared);
  if (saved == Saved::unpaid) {
    put_back(*run, std::move(before));
    run->state.effect->phase = EffectState::Phase::fresh;
  }
  if (saved == Saved::faulted) {
    run->budgets = std::move(before.budgets);
  }
  if (saved == Saved::unpaid || saved == Saved::faulted) {
    never_held(*run, id);
  }
  co_return saved;
}

/// The attempt itself, behind its fence.
Task<Next> Engine::Impl::send(RunPtr run, Function* function, CallPlan plan, PreparedCall ready,
                              CallRequest request) {
  auto& effect = *run->state.effect;
  const Context ctx = attempt_context(*run, plan);
  note_sent(*run, clock(*run), Duration(0));  // the fence's commit may have taken long
  run->acting = acts(plan.effect);
  AIOS_FAILPOINT("effect.before_send");
  auto outcome = co_await function->perform(ctx, std::move(ready), std::move(request));
  run->acting = false;
  AIOS_FAILPOINT("effect.after_send");
  // An attempt that was held up ends late, and its request may have left as late as that.
  note_sent(*run, clock(*run), plan.timeout);
  if (run->cancel_requested && outcome.outcome == Outcome::done && acts(plan.effect)) {
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

Task<Next> Engine::Impl::call_outside(RunPtr run, Function* function, CallPlan plan) {
  const bool clear = co_await clear_to_send(run, function, plan);
  if (!clear) {
    co_return Next::advance;
  }
  auto& effect = *run->state.effect;
  auto request = request_of(*run);
  request.attempt = effect.attempt + 1;
  auto prepared = co_await function->prepare(run->ctx, request);
  if (!prepared.ok()) {
    co_return settle_refused(run, plan.effect, std::move(prepared).refusal());
  }
  if (!as_planned(plan, *prepared)) {
    co_return Next::advance;
  }
  ++effect.attempt;
  if (prepared->blocked) {
    turn_away(*run, plan, std::move(*prepared->blocked));
    co_return Next::advance;
  }
  const auto saved = co_await reserve_and_raise(run, plan, &*prepared);
  if (saved == Saved::unpaid) {
    --effect.attempt;
    auto& payment = *prepared->payment;
    auto error = govern::over_budget(payment.reserving.reservation, *run->over_budget);
    co_return settle_refused(run, plan.effect, {std::move(error), {std::move(payment.unpaid)}});
  }
  if (saved != Saved::durable) {
    co_return saved == Saved::faulted ? Next::advance : Next::lost;
  }
  if (run->cancel_requested || stopping) {
    effect.phase = EffectState::Phase::fresh;
    not_sent(*run);
    --effect.attempt;
    co_return Next::advance;
  }
  auto ready = std::move(*prepared);
  const auto next =
      co_await send(run, function, std::move(plan), std::move(ready), std::move(request));
  co_return next;
}

}  // namespace aios::workflow
