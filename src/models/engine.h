// SPDX-License-Identifier: Apache-2.0
#pragma once
// models/engine: what an engine is (engines/*.cc): examples in, a model out that predicts in this
// process; and how good a model is on examples it has not seen.

#include "core/context.h"
#include "core/result.h"
#include "models/embedding.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aios::models {

struct Example {
  std::string text;
  std::string label;
};

struct Reason {
  std::string term;   ///< the word (or the piece of it) as in the text
  double weight = 0;  ///< contribution to the winning label's score
};

struct Scored {
  std::string label;
  double confidence = 0;  ///< calibrated: of answers with 0.9, nine in ten are right
};

struct Prediction {
  Scored best;
  std::vector<Scored> top;      ///< at most 3, best first
  std::vector<Reason> reasons;  ///< at most 5, the strongest words for the best label
  /// 0 to 1: the share of the training texts that looked more familiar before they were learnt; 1
  /// where nothing is known. Nothing when the version was trained before there was such a scale.
  std::optional<double> novelty;
};

/// A trained model ready to predict. Immutable, thread-safe.
class Model {
 public:
  virtual ~Model() = default;
  /// Text of any length; only the first 8,192 bytes count. Where nothing in it is known: the most
  /// frequent label, with its share of the training examples as confidence, and no reasons.
  virtual Prediction predict(std::string_view text) const = 0;
  virtual const std::vector<std::string>& labels() const = 0;
  virtual std::string serialize() const = 0;
};

struct TrainOptions {
  std::uint64_t seed = 1;
  std::function<void(double share)> progress;  ///< 0 to 1, from the training thread
  std::shared_ptr<CancelState> cancel;
};

/// One engine (engines/*.cc). The same examples and seed give the same bytes.
struct EngineEntry {
  using Made = Result<std::unique_ptr<Model>>;
  std::string name;
  std::string summary;
  /// invalid_argument [AIOS-0700] for examples that cannot be learnt from, cancelled [AIOS-0702].
  std::function<Made(const std::vector<Example>&, const TrainOptions&)> train;
  std::function<Made(std::string_view bytes)> load;  ///< data_loss [AIOS-0703] when damaged
};
class EngineRegistry {
 public:
  void add(EngineEntry entry);
  void add(EmbeddingEntry entry);
  const EngineEntry* find(std::string_view name) const;
  const EmbeddingEntry* find_embedding(std::string_view name) const;
  std::vector<std::string> names() const;  ///< of the first kind: what models/*.yaml may name

 private:
  std::map<std::string, EngineEntry, std::less<>> entries_;
  std::map<std::string, EmbeddingEntry, std::less<>> embeddings_;
};
void register_all_engines(EngineRegistry& registry);

struct Evaluation {
  std::uint64_t examples = 0;
  double accuracy = 0;
  double macro_recall = 0;
  double log_loss = 0;           ///< labels below the top three share what those leave
  double calibration_error = 0;  ///< expected calibration error, 10 bins
  std::map<std::string, double> recall_by_label;
  std::vector<std::string> unmeasured;  ///< labels of the model that no example has
};
Evaluation evaluate(const Model& model, const std::vector<Example>& examples);
/// Hex SHA-256 over the examples in canonical order-preserving form.
std::string dataset_digest(const std::vector<Example>& examples);
/// CSV with columns text and label (others are ignored); no rows are no examples.
/// @return invalid_argument [AIOS-0701] with file and line: no such columns, or an empty cell.
Result<std::vector<Example>> read_examples(std::string_view csv, std::string_view file_name);

}  // namespace aios::models
