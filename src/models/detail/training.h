// SPDX-License-Identifier: Apache-2.0
#pragma once
// models/detail/training: the part of a training that blocks: split, train, evaluate, serialize.

#include "core/result.h"
#include "models/learning.h"
#include "models/models.h"
#include "runtime/executor.h"

#include <memory>
#include <set>
#include <string>
#include <vector>

namespace aios::models::detail {

struct TrainingJob {
  EngineEntry engine;
  std::uint64_t seed = 1;
  std::vector<Example> examples;
  std::vector<Example> heldout;  ///< empty: a fifth of every label's examples is split off
  std::shared_ptr<CancelState> cancel;
  std::vector<CorrectionRow> rows;  ///< people's; empty: none
  std::set<std::string> new_labels;
  Accepted accepted;
  std::vector<Example> kept_away;  ///< not learnt from either: what serves is measured on them
};

/// A training in which more of people's rows are refused fails: something is wrong with them.
inline constexpr double refused_share_max = 0.4;

struct Trained {
  std::string bytes;
  Evaluation heldout;  ///< people's rows that were kept back included
  std::vector<RowVerdict> verdicts;
  std::string frozen;  ///< held-out rows that are no person's, as frozen_bytes()
  std::uint64_t leaked = 0;
  std::vector<std::string> labels;
  std::string dataset_digest;
  std::string heldout_digest;
  std::uint64_t examples = 0;
  Duration training{0};
};

/// On a thread of its own with low priority; waits for it.
Result<Trained> run_training(TrainingJob job, runtime::Clock& clock);
/// The same for the verdicts alone.
Result<std::vector<RowVerdict>> run_screening(TrainingJob job);

/// Labelled rows as bytes; data_loss [AIOS-0703] for others.
std::string frozen_bytes(const std::vector<Example>& rows);
Result<std::vector<Example>> frozen_from(std::string_view bytes);

}  // namespace aios::models::detail
