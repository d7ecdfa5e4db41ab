// SPDX-License-Identifier: Apache-2.0
#pragma once
// workflow/search: what runs are asked for, and what was found.

#include "core/time.h"
#include "workflow/attribute.h"
#include "workflow/run_view.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace aios::workflow {

/// All of it must fit. Empty members ask for nothing.
struct RunQuestion {
  std::vector<Condition> where;
  std::string status;
  std::string workflow;  ///< namespace/name
  std::string version;
  std::string error;                 ///< page of a faulted one's error: "AIOS-0904"
  std::string step;                  ///< where it faulted: the task's pointer or its name
  std::optional<Time> since, until;  ///< of its last change: [since, until[
  std::optional<Time> from, before;  ///< of its begin: [from, before[, cheap
  std::string after;                 ///< goes on behind this run, newest first
  std::uint32_t limit = 100;         ///< 1 to 1,000
};

struct RunsFound {
  std::vector<RunView> runs;    ///< newest first
  std::string next;             ///< where to go on; empty: that was all
  std::uint64_t entries = 0;    ///< of the index that were read
  std::uint64_t looked_at = 0;  ///< runs that were read
  /// It ended at a bound of what one search reads, not at `limit`: `next` goes on.
  bool cut = false;
};

/// Whether a run fits all but `after` and `limit`. Of a view of RunView::clear_json()'s members.
bool fits(const RunQuestion& question, const RunView& run);

}  // namespace aios::workflow
