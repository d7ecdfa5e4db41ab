// SPDX-License-Identifier: Apache-2.0
#pragma once
// models/models: the registry and the embedded engines. A model version is immutable: its bytes (a
// blob), its dataset digest, its metrics and its owner; an alias names the version that serves,
// with its whole history. Threading: predict(), serving() and aliases() from any thread, on a
// snapshot that is replaced whole; the rest are coroutines.

#include "core/context.h"
#include "core/json.h"
#include "core/result.h"
#include "govern/guard.h"
#include "models/embedding.h"
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

struct VersionInfo {
  std::string model;
  std::uint32_t version = 0;  ///< from 1
  std::string engine, owner, intended_use, dataset_digest, heldout_digest, blob, trained_by;
  std::vector<std::string> failure_modes;
  std::uint64_t seed = 0;
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
  Models(store::Store& store, const govern::Guard& guard, runtime::BlockingPool& pool,
         runtime::Clock& clock);
  ~Models();
  /// Loads the aliases of all tenants known to the store and the versions they name; call once at
  /// start. A version that cannot be read does not stop it: serving() of its alias gives the error.
  Task<Result<void>> load(Context ctx);
  /// Trains on a thread of low priority, evaluates on heldout (or, when empty, on a seeded fifth
  /// that is then not trained on), stores, registers. ctx.cancel ends it between two labels.
  /// @return invalid_argument [AIOS-0700, 0707, 0708]; resource_exhausted [AIOS-0709] with
  ///         Retry::same_call while another training runs; cancelled [AIOS-0702].
  Task<Result<VersionInfo>> train(Context ctx, ModelSpec spec, std::vector<Example> examples,
                                  std::vector<Example> heldout);
  /// Oldest first, without erased ones; empty when the model was never trained.
  Task<Result<std::vector<VersionInfo>>> versions(Context ctx, std::string model);
  std::vector<AliasInfo> aliases(const TenantId& tenant) const;
  /// Guard point model_promote. Refusals are audited like promotions.
  /// @return policy_denied; failed_precondition [AIOS-0706] when the principal trained that
  /// version;
  ///         not_found [AIOS-0704]; aborted with Retry::same_call when another promotion of the
  ///         alias was committed meanwhile.
  Task<Result<AliasInfo>> promote(Context ctx, std::string model, std::uint32_t version,
                                  std::string alias);
  /// Every version that served the alias, oldest first.
  Task<Result<std::vector<AliasInfo>>> history(Context ctx, std::string alias);

  struct Serving {
    std::shared_ptr<const Model> model;
    std::string name;
    std::uint32_t version = 0;
  };
  /// What serves an alias now; not_found [AIOS-0705] naming the nearest alias.
  Result<Serving> serving(const TenantId& tenant, std::string_view alias) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace aios::models
