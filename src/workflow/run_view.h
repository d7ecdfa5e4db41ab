// SPDX-License-Identifier: Apache-2.0
#pragma once
// workflow/run_view: a run as others see it. Values: a view does not change with its run.

#include "core/json.h"
#include "core/time.h"

#include <cstdint>
#include <string>
#include <vector>

namespace aios::workflow {

struct RunView {
  std::string id, workflow, version, status;  ///< running, waiting, completed, faulted, cancelled
  Json input, output, error;  ///< output when completed; error (RFC 7807) when faulted
  std::string waiting_for;    ///< explain's first line, empty when not waiting
  std::string waiting_clear;  ///< the same without texts
  std::string unreadable;     ///< page of the error of a state that cannot be read
  std::string incident;       ///< that a person must settle; empty: none
  std::string trace_id;
  std::string starter;                ///< id of the principal that started it; empty: not known
  std::string parent, branch;         ///< the run that started it, and as which branch; or empty
  std::vector<std::string> children;  ///< that it waits for
  Time created, updated;
  std::uint64_t steps = 0;
  Json inferences, retrievals, results, reviews;  ///< governance memory
  Json attributes;  ///< its search attributes; null: none. In clear: for all who may read runs
  Json cost;        ///< [{currency, nano, estimated}] of its calls of hosted models; null: none
  Json to_json() const;
  /// For those who may not read payloads: members that cannot hold any, and of errors their pages.
  Json clear_json() const;
};

/// How much of a run is asked for.
enum class Shown : std::uint8_t {
  all,
  clear,  ///< nothing that may hold payload; in lists also nothing of the memories
};

/// Whether a list has the branches of a fork as well, which are runs of their own.
enum class Branches : std::uint8_t { hidden, shown };

/// A page of runs; `more`: it goes on behind the last one.
struct RunPage {
  std::vector<RunView> runs;
  bool more = false;
};

}  // namespace aios::workflow
