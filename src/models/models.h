// SPDX-License-Identifier: Apache-2.0
#pragma once
// models/models: the registry and the embedded engines. A model version is immutable: its bytes (a blob), its dataset
// digest, its metrics and its owner; an alias names the version that serves, with its whole history.
// Threading: predict() from any thread, lock-free on a snapshot; the rest are coroutines.

#include "core/context.h"
#include "core/json.h"
#include "core/result.h"
#include "govern/guard.h"
#include "runtime/shards.h"
#include "runtime/task.h"
#include "store/store.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace aios::models {

/// models/<name>.yaml of a bundle, read by bundle/.
struct ModelSpec {
  std::string name;
  std::string engine = "text_linear";
  std::string owner;
  std::string intended_use;
  std::vector<std::string> failure_modes;
  std::uint64_t seed = 1;
  double accuracy_min = 0.0;  ///< gate for promotion on the held-out split
};

struct Example {
  std::string text;
  std::string label;
};

struct Reason {
  std::string term;    ///< the word (or the piece of it) as in the text
  double weight = 0;   ///< contribution to the winning label's score
};

struct Scored {
  std::string label;
  double confidence = 0;  ///< calibrated: of answers with 0.9, nine in ten are right on the held-out part
};

struct Prediction {
  Scored best;
  std::vector<Scored> top;      ///< at most 3, best first
  std::vector<Reason> reasons;  ///< at most 5, the strongest words for the best label
};

/// A trained model ready to predict. Immutable, thread-safe.
class Model {
 public:
  virtual ~Model() = default;
  /// Text of any length; only the first 8,192 bytes count. Empty or unknown text: the prior's best label, low confidence.
  virtual Prediction predict(std::string_view text) const = 0;
  virtual const std::vector<std::string>& labels() const = 0;
  virtual std::string serialize() const = 0;
};

struct TrainOptions {
  std::uint64_t seed = 1;
  std::function<void(double share)> progress;     ///< 0 to 1, from the training thread
  std::shared_ptr<CancelState> cancel;
};

/// One engine (engines/*.cc).
struct EngineEntry {
  std::string name;
  std::string summary;
  std::function<Result<std::unique_ptr<Model>>(const std::vector<Example>&, const TrainOptions&)> train;
  std::function<Result<std::unique_ptr<Model>>(std::string_view bytes)> load;  ///< data_loss when damaged
};
class EngineRegistry {
 public:
  void add(EngineEntry entry);
  const EngineEntry* find(std::string_view name) const;
  std::vector<std::string> names() const;

 private:
  std::map<std::string, EngineEntry, std::less<>> entries_;
};
void register_all_engines(EngineRegistry& registry);

struct Evaluation {
  std::uint64_t examples = 0;
  double accuracy = 0;
  double macro_recall = 0;
  double log_loss = 0;
  double calibration_error = 0;                    ///< expected calibration error, 10 bins
  std::map<std::string, double> recall_by_label;
};
Evaluation evaluate(const Model& model, const std::vector<Example>& examples);
/// Hex SHA-256 over the examples in canonical order-preserving form.
std::string dataset_digest(const std::vector<Example>& examples);
/// CSV with columns text and label (others are ignored).
Result<std::vector<Example>> read_examples(std::string_view csv, std::string_view file_name);

struct VersionInfo {
  std::string model;
  std::uint32_t version = 0;
  std::string engine, owner, intended_use, dataset_digest, heldout_digest, blob, trained_by;
  std::uint64_t examples = 0;
  Evaluation heldout;
  double accuracy_min = 0;
  Time created;
  Duration training{0};
};
struct AliasInfo {
  std::string alias;
  std::string model;
  std::uint32_t version = 0;
  std::string set_by;
  Time since;
};

class Models {
 public:
  Models(store::Store& store, const govern::Guard& guard, runtime::BlockingPool& pool, runtime::Clock& clock);
  ~Models();
  /// Loads versions in use and aliases of all tenants known to the store; call once at start.
  Task<Result<void>> load(Context ctx);
  /// Trains on the pool, evaluates on heldout (or, when empty, on a seeded fifth split off), stores, registers.
  Task<Result<VersionInfo>> train(Context ctx, ModelSpec spec, std::vector<Example> examples,
                                  std::vector<Example> heldout);
  Task<Result<std::vector<VersionInfo>>> versions(Context ctx, std::string model);
  std::vector<AliasInfo> aliases(const TenantId& tenant) const;
  /// Guard point model_promote; the principal that trained a version may not promote it (failed_precondition).
  Task<Result<AliasInfo>> promote(Context ctx, std::string model, std::uint32_t version, std::string alias);

  struct Serving {
    std::shared_ptr<const Model> model;
    std::string name;
    std::uint32_t version = 0;
  };
  /// What serves an alias now; not_found naming the nearest alias.
  Result<Serving> serving(const TenantId& tenant, std::string_view alias) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace aios::models
