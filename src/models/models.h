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
#include "models/engine.h"
#include "runtime/shards.h"
#include "runtime/task.h"
#include "store/store.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aios::models {

/// What a version may lose against the one that serves, on the rows both are measured on.
struct CompareGates {
  double overall_loss_max = 0.01;     ///< share of all rows, net
  double class_loss_max = 0.10;       ///< share of a label's rows, net
  std::uint64_t class_rows_min = 10;  ///< a label with fewer is not judged
  double new_recall_min = 0.7;        ///< of a label that only the new version knows
  std::uint64_t new_rows_min = 5;     ///< such a label with fewer rows is not judged
};

/// models/<name>.yaml of a bundle, read by bundle/.
struct ModelSpec {
  std::string name;
  std::string engine = "text_linear";
  std::string owner;
  std::string intended_use;
  std::vector<std::string> failure_modes;
  std::uint64_t seed = 1;
  double accuracy_min = 0.0;  ///< gate for promotion on the held-out split
  CompareGates gates;
  /// Labels that people's rows may bring besides those of the data.
  std::vector<std::string> new_labels;
  std::vector<std::string> row_sets;  ///< names under which reviews label rows for this model
  /// Data and held-out set are of who trains, not of the bundle: what serves is not measured on
  /// them, and its own held-out rows are not learnt from.
  bool sent_data = false;
};

/// A labelled row that a person made, latest of its run; read by review/, handed in by api/.
struct CorrectionRow {
  std::string id, text, label, by;
  Time at;
};

/// What a version learnt from people, and where the rows of it are told.
struct Lineage {
  std::uint32_t parent = 0;  ///< the version that served when it was trained; 0: none
  std::string blob;          ///< the verdict on each row (Models::rows_of); "" without rows
  std::string frozen;        ///< blob of the held-out rows that are no person's; "" for none
  std::string rows_digest;   ///< hex SHA-256 over id, label and use of each row
  std::uint64_t learnt = 0, kept_back = 0, refused = 0, held_out = 0;
  std::uint64_t leaked = 0;  ///< lines of the data left out because the held-out set has them
  std::map<std::string, std::uint64_t> learnt_by_label;
  std::vector<std::string> waiting;   ///< declared labels of which there is no row yet
  std::vector<std::string> row_sets;  ///< see ModelSpec
  bool sent_data = false;             ///< see ModelSpec
};

struct VersionInfo {
  std::string model;
  std::uint32_t version = 0;  ///< from 1
  std::string engine, owner, intended_use, dataset_digest, heldout_digest, blob, trained_by;
  std::vector<std::string> failure_modes;
  std::uint64_t seed = 0;
  std::uint64_t examples = 0;
  Evaluation heldout;
  double accuracy_min = 0;
  CompareGates gates;
  Lineage lineage;
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

struct RowVerdict;
struct Comparison;
struct Advice;
struct AdviceWish;

/// People's rows for the named sets, the latest of each run; without rows of erased subjects.
using RowSource =
    std::function<Task<Result<std::vector<CorrectionRow>>>(Context, std::vector<std::string> sets)>;

struct PromoteOptions {
  bool rollback = false;  ///< a version that served the alias before comes back without comparison
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
  ///         Retry::same_call while another of the tenant runs or waits; cancelled [AIOS-0702].
  Task<Result<VersionInfo>> train(Context ctx, ModelSpec spec, std::vector<Example> examples,
                                  std::vector<Example> heldout);
  /// Call once, before anything is trained; without it there are no rows of people.
  void read_rows(RowSource source);
  /// Who holds a key: keys of one holder are one person's (govern/holder.h). Empty: not known.
  using Holder = std::function<std::string(const TenantId& tenant, const std::string& principal)>;
  /// Call once, before anything is promoted; without it each key is a person.
  void know_holders(Holder holder);
  /// train() with people's rows: screened (learning.h), a fifth kept back, the rest learnt from.
  /// @return besides: failed_precondition [AIOS-0720] when there is no row, or too large a share of
  ///         them is refused; resource_exhausted [AIOS-0721].
  Task<Result<VersionInfo>> learn(Context ctx, ModelSpec spec, std::vector<Example> examples,
                                  std::vector<Example> heldout);
  /// What would become of people's rows now; trains for it, registers nothing.
  Task<Result<std::vector<RowVerdict>>> screen_rows(Context ctx, ModelSpec spec,
                                                    std::vector<Example> examples,
                                                    std::vector<Example> heldout);
  /// What became of people's rows in a version.
  Task<Result<std::vector<RowVerdict>>> rows_of(Context ctx, std::string model,
                                                std::uint32_t version);
  /// Takes rows in spite of a refusal from the next training on; not by who made the row, and a
  /// training by who accepted it does not count it.
  /// @return not_found [AIOS-0724]; failed_precondition [AIOS-0725].
  Task<Result<void>> accept_rows(Context ctx, ModelSpec spec, std::vector<std::string> ids);
  /// A version against another one (0: the one that served when it was trained), row
  /// by row, on what the first one's training held out; where its data were sent, on what the other
  /// one's did. not_found [AIOS-0704, 0726].
  Task<Result<Comparison>> compare(Context ctx, std::string model, std::uint32_t challenger,
                                   std::uint32_t champion);
  /// @param version  0: the newest. @return not_found [AIOS-0704, 0726]; invalid_argument [0727].
  Task<Result<Advice>> advise(Context ctx, std::string model, std::uint32_t version,
                              AdviceWish wish);
  /// Oldest first, without erased ones; empty when the model was never trained.
  Task<Result<std::vector<VersionInfo>>> versions(Context ctx, std::string model);
  std::vector<AliasInfo> aliases(const TenantId& tenant) const;
  /// Guard point model_promote. Compares with what the alias serves first, and keeps the
  /// comparison. Refusals are audited like promotions.
  /// @return policy_denied; failed_precondition [AIOS-0706] when the principal trained that
  /// version;
  ///         failed_precondition [AIOS-0722] when it loses against what serves, [AIOS-0723] when
  ///         a rollback's version never served the alias;
  ///         not_found [AIOS-0704, 0726]; aborted, Retry::same_call, when another promotion of the
  ///         alias was committed meanwhile.
  Task<Result<AliasInfo>> promote(Context ctx, std::string model, std::uint32_t version,
                                  std::string alias, PromoteOptions options);
  /// The alias serves no more: who asks it waits as for one that was never promoted. Guard point
  /// model_promote with `removal`; audited. A later promotion to it is held against what it served
  /// last, so that nothing gets round the gate. Whether a workflow asks it the caller looks at.
  /// @return what it served; not_found [AIOS-0705]; policy_denied; aborted, as of promote().
  Task<Result<AliasInfo>> remove_alias(Context ctx, std::string alias);
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
