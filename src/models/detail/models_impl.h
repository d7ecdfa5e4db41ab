// SPDX-License-Identifier: Apache-2.0
#pragma once
// models/detail/models_impl: what models.cc and promotion.cc share.

#include "models/comparison.h"
#include "models/detail/records.h"
#include "models/detail/serving.h"
#include "models/detail/training.h"
#include "models/detail/training_turns.h"
#include "models/learning.h"
#include "models/models.h"

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace aios::models {

/// What a version is measured on.
struct FrozenRows {
  std::vector<Example> rows;
  std::uint64_t people = 0;  ///< of rows
  std::uint64_t gone = 0;    ///< kept back once, not there any more
};

/// What a promotion is up against.
struct Match {
  std::uint32_t champion = 0;            ///< what serves the alias; 0: nothing, or the same version
  std::optional<Comparison> comparison;  ///< none for a rollback
};

struct Models::Impl {
  store::Store& store;
  const govern::Guard& guard;
  runtime::BlockingPool& pool;
  runtime::Clock& clock;
  std::shared_ptr<const EngineRegistry> engines;
  std::shared_ptr<TrainingTurns> training;
  detail::ServingTable serving;
  RowSource row_source;
  Holder holder{};

  bool same_person(const TenantId& tenant, const std::string& one, const std::string& other) const;
  Task<Result<VersionInfo>> version(Context ctx, std::string model, std::uint32_t number);
  /// Reads and opens a version's bytes, or takes the model that serves already.
  Task<Result<std::shared_ptr<const Model>>> open(Context ctx, VersionInfo info);
  Task<Result<void>> load_tenant(Context ctx);
  Task<detail::ServingEntry> load_alias(Context ctx, store::StreamRow row);
  Task<Result<VersionInfo>> train(Context ctx, ModelSpec spec, detail::TrainingJob job);
  /// People's rows and who accepted which, for a training.
  Task<Result<void>> gather(Context ctx, ModelSpec spec, std::shared_ptr<detail::TrainingJob> job);
  Task<Result<VersionInfo>> register_trained(Context ctx, ModelSpec spec, detail::Trained trained);
  Task<Result<Accepted>> accepted(Context ctx, std::string model);
  /// What serves an alias of the model: of several the one that is named like it. 0: nothing.
  std::uint32_t champion_of(const TenantId& tenant, std::string_view model) const;
  Task<Result<FrozenRows>> frozen_rows(Context ctx, VersionInfo info);
  Task<std::vector<Example>> rows_of_champion(Context ctx, std::string model);
  Task<Result<Comparison>> compare(Context ctx, VersionInfo challenger, VersionInfo champion);
  Task<void> keep(Context ctx, Comparison comparison);
  Task<Result<VersionInfo>> add_version(Context ctx, VersionInfo info);
  Task<Result<Match>> match(Context ctx, VersionInfo info, std::string alias,
                            PromoteOptions options);
  Task<Result<void>> served_before(Context ctx, VersionInfo info, std::string alias);
  Task<Result<AliasInfo>> set_alias(Context ctx, AliasInfo alias,
                                    std::shared_ptr<const Model> model, store::AuditLeaf leaf);
  Task<Result<void>> commit_alias(Context ctx, store::StreamWrite write, store::AuditLeaf leaf,
                                  std::string doing);
  /// The present version of the alias's stream; 0: there is none.
  Task<Result<std::uint64_t>> alias_revision(Context ctx, std::string alias);
  Task<void> audit(Context ctx, store::AuditLeaf leaf);
};

}  // namespace aios::models
