// SPDX-License-Identifier: Apache-2.0
#pragma once
// api/detail/run_case: one case whole: a run with its steps, effects, people and audit leaves, put
// together from what each module keeps. Reads only.

#include "api/api.h"
#include "core/json.h"
#include "workflow/engine.h"

#include <set>
#include <string>
#include <vector>

namespace aios::api {

/// What to look for in the audit log, and when.
struct LeafSearch {
  std::set<std::string> names;  ///< ids that a leaf of the case holds
  std::vector<Time> times;      ///< of its commits
  std::size_t least = 0;        ///< leaves that there must be: one an effect whose result is known
};
/// {"items": [{index, hash, time, kind, outcome, stream, step, decisions}], "complete": bool}:
/// false when there were more leaves around those times than are read (20,000), or fewer of the
/// case than there must be: a clock that was set back puts leaves where nobody looks for them.
Task<Result<Json>> find_leaves(store::Store* store, Context ctx, LeafSearch search);

/// A run's history without payload: times, steps, effects, outcomes.
Json clear_history(const Json& history);
/// One row an effect: {effect, step, connector, operation, class, attempts, outcome, began, ended,
/// error} and, of its last attempt, {arguments, request, answer}; of the run's history, as they
/// began.
JsonArray effects_of(const Json& history);

Task<Result<net::Response>> show_case(const ApiServices& services, Context ctx,
                                      net::Request request);

}  // namespace aios::api
