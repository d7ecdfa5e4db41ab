// SPDX-License-Identifier: Apache-2.0
#pragma once
// ingress/waiting_runs: events that a run waits for. They are kept in their inbox commit
// (workflow::Engine::keep), and given to the run after it. Threading: as Ingress.

#include "core/context.h"
#include "core/json.h"
#include "core/result.h"
#include "ingress/ingress.h"
#include "runtime/task.h"
#include "store/transition.h"

#include <string>

namespace aios::ingress {

/// Commits an event that starts nothing. @return `accepted`
Task<Result<Accepted>> take_in(const IngressServices& services, Context ctx,
                               store::Transition transition, Accepted accepted);
/// @return the run that goes on with it; empty: none waits yet, and it stays kept. What fails is
/// logged: the event is durable, and a run that waits looks for it by itself.
Task<std::string> give_to_waiting(const IngressServices& services, Context ctx,
                                  std::string event_id, JsonObject envelope);

}  // namespace aios::ingress
