// SPDX-License-Identifier: Apache-2.0
#include "workflow/detail/payments.h"

#include <algorithm>
#include <utility>

namespace aios::workflow {
namespace {

void settle(LiveRun& run, const HeldMoney& held, std::optional<std::int64_t> spent_nano) {
  const std::int64_t spent = spent_nano.value_or(held.reservation.amount_nano);
  for (auto& move : held.reservation.settle(spent)) {
    run.budgets.push_back(std::move(move));
  }
  if (spent > 0) {
    add_cost(run.state.costs, held.reservation.currency, spent, !spent_nano.has_value());
  }
}

/// Whether an attempt is under way, as the state says it.
bool is_under_way(const RunState& state, const std::string& effect) {
  return state.effect && state.effect->id == effect &&
         state.effect->phase == EffectState::Phase::intent;
}

}  // namespace

void settle_money(LiveRun& run, const std::string& effect, std::optional<std::int64_t> spent_nano) {
  auto& all = run.state.held;
  for (const auto& held : std::exchange(all, {})) {
    if (held.effect == effect) {
      settle(run, held, spent_nano);
    } else {
      all.push_back(held);
    }
  }
}

void settle_abandoned(LiveRun& run) {
  auto& all = run.state.held;
  for (const auto& held : std::exchange(all, {})) {
    if (is_under_way(run.state, held.effect)) {
      all.push_back(held);
    } else {
      settle(run, held, std::nullopt);
    }
  }
}

void never_held(LiveRun& run, const std::string& effect) {
  const auto of_effect = [&](const HeldMoney& held) { return held.effect == effect; };
  std::erase_if(run.state.held, of_effect);
  run.reserving.clear();
}

Unsaved unsaved_of(const LiveRun& run) {
  return {run.log, run.history, run.writes, run.leaves, run.budgets, run.with};
}

void put_back(LiveRun& run, Unsaved unsaved) {
  run.log = std::move(unsaved.log);
  run.history = std::move(unsaved.history);
  run.writes = std::move(unsaved.writes);
  run.leaves = std::move(unsaved.leaves);
  run.budgets = std::move(unsaved.budgets);
  run.with = std::move(unsaved.with);
}

}  // namespace aios::workflow
