// SPDX-License-Identifier: Apache-2.0
#pragma once
// workflow/detail/payments: the money of a run's calls: held from the commit of an intent, settled
// in the commit of its result, and counted as spent where nobody saw the end.

#include "workflow/detail/live_run.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace aios::workflow {

/// What is held for an effect's attempt is settled with the next commit. Nothing held: nothing
/// happens. @param spent_nano  nothing: all of it, as nobody knows
void settle_money(LiveRun& run, const std::string& effect, std::optional<std::int64_t> spent_nano);
/// Counts as spent what is held for attempts that are under way no more: after a crash, a
/// cancellation, a timeout.
void settle_abandoned(LiveRun& run);
/// Of an intent that was not committed.
void never_held(LiveRun& run, const std::string& effect);

/// What would have left with a commit that the store refused.
struct Unsaved {
  RunLog log;
  std::vector<store::HistoryEvent> history;
  std::vector<store::StreamWrite> writes;
  std::vector<store::AuditLeaf> leaves;
  std::vector<store::BudgetMove> budgets;
  std::optional<store::Transition> with;
};
Unsaved unsaved_of(const LiveRun& run);
void put_back(LiveRun& run, Unsaved unsaved);

}  // namespace aios::workflow
