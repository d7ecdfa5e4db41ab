// SPDX-License-Identifier: Apache-2.0
#pragma once
// workflow/detail/engine_metrics: what the engine counts. Threading: any thread.

#include "core/effect.h"
#include "observe/metrics.h"
#include "workflow/detail/state.h"

#include <string>
#include <string_view>

namespace aios::workflow {

struct EngineMetrics {
  explicit EngineMetrics(observe::Metrics* metrics);
  void ended(RunStatus status) const;
  void effect(EffectClass effect, std::string_view outcome) const;
  void over_budget(const std::string& workflow) const;
  /// Its counter is there, at 0, so that the first refusal after a start is an increase.
  void know_workflow(const std::string& workflow) const;
  observe::Counter* started = nullptr;
  observe::Counter* commits = nullptr;
  observe::Metrics* metrics = nullptr;

 private:
  observe::Counter& ended_counter(RunStatus status) const;
  observe::Counter& over_budget_counter(const std::string& workflow) const;
};

}  // namespace aios::workflow
