// SPDX-License-Identifier: Apache-2.0
#pragma once
// workflow/detail/family: runs that a run started, and what a child knows of its parent. Saved with
// the state of each.

#include "core/json.h"
#include "core/time.h"

#include <cstdint>
#include <string>
#include <vector>

namespace aios::workflow {

/// Whose child a run is.
struct ParentState {
  std::string run;   ///< id of the parent
  std::string step;  ///< of the parent's document: JSON pointer
  std::string name;  ///< of the branch; empty: it is a run of a workflow
  std::string list;  ///< pointer of the list that a branch goes through
  bool awaited = true;
  std::uint32_t depth = 1;  ///< how many runs stand above it
  std::int64_t hops = 0;    ///< of the event that started the first of them
  /// Of a branch: the run whose document it goes through, for `$workflow`.
  std::string instance;
  Time instance_created;
  /// Id and source of the event that started the first of them; empty: none did.
  std::string event{}, event_source{};
};

/// Runs that this one waits for.
struct ChildrenState {
  struct Child {
    std::string id, name;
    std::uint64_t version = 0;  ///< of its stream when what it learned was taken over; 0: never
    JsonArray counted{};        ///< its costs then
    bool refused = false;       ///< it cannot be tried again: its end counts
  };
  std::vector<Child> runs;
  bool first = false;     ///< Spawn::Until::first
  bool stopping = false;  ///< those that are left were told to end
  /// The parent is tried again, and so are those that did not complete and stand at `version`.
  bool again = false;
  bool newest = false;  ///< with the newest definition
};

}  // namespace aios::workflow
