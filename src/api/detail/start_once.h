// SPDX-License-Identifier: Apache-2.0
#pragma once
// api/detail/start_once: a run that is started with an Idempotency-Key. A caller who lost the
// answer asks again with the same key and gets the first run's id.

#include "core/context.h"
#include "core/result.h"
#include "runtime/task.h"
#include "store/store.h"
#include "workflow/engine.h"

#include <cstddef>
#include <string>

namespace aios::api {

inline constexpr std::size_t idempotency_key_bytes_max = 255;

struct StartedOnce {
  std::string id;
  bool repeated = false;  ///< it runs since the first request with this key
};

/// The key is claimed in the commit that starts the run, and kept for seven days.
/// @param key  of the header; one tenant's keys are its own.
/// @param body  what was sent: the same key with another body is no repetition.
/// @return invalid_argument [AIOS-1306] for a key that is empty or too long; already_exists
///         [AIOS-1305] for another body; what Engine::start says.
Task<Result<StartedOnce>> start_once(workflow::Engine* engine, store::Store* store, Context ctx,
                                     workflow::StartRequest start, std::string key,
                                     std::string body);

}  // namespace aios::api
