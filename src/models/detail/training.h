// SPDX-License-Identifier: Apache-2.0
#pragma once
// models/detail/training: the part of a training that blocks: split, train, evaluate, serialize.

#include "core/result.h"
#include "models/models.h"
#include "runtime/executor.h"

#include <memory>
#include <string>
#include <vector>

namespace aios::models::detail {

struct TrainingJob {
  EngineEntry engine;
  std::uint64_t seed = 1;
  std::vector<Example> examples;
  std::vector<Example> heldout;  ///< empty: a fifth of every label's examples is split off
  std::shared_ptr<CancelState> cancel;
};

struct Trained {
  std::string bytes;
  Evaluation heldout;
  std::string dataset_digest;
  std::string heldout_digest;
  std::uint64_t examples = 0;
  Duration training{0};
};

/// On a thread of its own with low priority; waits for it.
Result<Trained> run_training(TrainingJob job, runtime::Clock& clock);

}  // namespace aios::models::detail
