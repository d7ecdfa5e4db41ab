// SPDX-License-Identifier: Apache-2.0
// Whether a call happened, of a system that can be asked. A look-up changes nothing outside, so it
// has no fence.
#include "workflow/detail/engine_impl.h"

#include <algorithm>
#include <utility>

namespace aios::workflow {

/// True: it certainly did not happen, send it (again). False: settled or parked.
Task<bool> Engine::Impl::ask_whether_happened(RunPtr run, Function* function, CallPlan plan) {
  auto& effect = *run->state.effect;
  const auto now = clock(*run).now();
  if (!effect.sent_at || !knows_sent(*run)) {  // one that was given up is taken up again
    note_sent(*run, clock(*run), Duration(0));
  }
  const auto passed = since_sent(*run, clock(*run));
  // A request may still be on its way or at work: ask when its own time is over. Before the
  // window after that has passed too, only "it happened" is believed.
  if (passed < plan.timeout) {
    wait_for(*run, Waiting::Reason::lookup, now + (plan.timeout - passed),
             Error(Code::unavailable, "it is not known whether the call happened"));
    co_return false;
  }
  auto request = request_of(*run);
  request.purpose = connectors::Purpose::lookup;
  auto prepared = co_await function->prepare(run->ctx, request);
  if (!prepared.ok()) {
    auto refusal = std::move(prepared).refusal();
    std::move(refusal.leaves.begin(), refusal.leaves.end(), std::back_inserter(run->leaves));
    give_up(*run, plan.effect, refusal.error);
    co_return false;
  }
  if (!as_planned(plan, *prepared)) {
    co_return false;  // not parked either: it is planned anew
  }
  const Context ctx = attempt_context(*run, plan);
  auto ready = std::move(*prepared);
  // Its leaf goes with what follows.
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
    const auto unsettled = plan.timeout + plan.settle - passed;
    if (unsettled > Duration(0)) {
      ++effect.lookups;
      ask_again(*run, plan, now + unsettled);
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
  if (!answer.connector_result.empty()) {
    remember_result(run->state, std::move(answer.connector_result));
  }
  machine(*run).call_done(std::move(*answer.result));
  co_return false;
}

}  // namespace aios::workflow
