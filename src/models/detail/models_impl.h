// SPDX-License-Identifier: Apache-2.0
#pragma once
// models/detail/models_impl: what models.cc and promotion.cc share.

#include "models/detail/records.h"
#include "models/detail/serving.h"
#include "models/models.h"

#include <atomic>
#include <memory>
#include <string>
#include <vector>

namespace aios::models {

struct Models::Impl {
  store::Store& store;
  const govern::Guard& guard;
  runtime::BlockingPool& pool;
  runtime::Clock& clock;
  std::shared_ptr<const EngineRegistry> engines;
  std::shared_ptr<std::atomic<bool>> training;
  detail::ServingTable serving;

  Task<Result<VersionInfo>> version(Context ctx, std::string model, std::uint32_t number);
  /// Reads and opens a version's bytes, or takes the model that serves already.
  Task<Result<std::shared_ptr<const Model>>> open(Context ctx, VersionInfo info);
  Task<Result<void>> load_tenant(Context ctx);
  Task<detail::ServingEntry> load_alias(Context ctx, store::StreamRow row);
  Task<Result<VersionInfo>> add_version(Context ctx, VersionInfo info);
  Task<Result<AliasInfo>> set_alias(Context ctx, AliasInfo alias,
                                    std::shared_ptr<const Model> model, store::AuditLeaf leaf);
  Task<void> audit(Context ctx, store::AuditLeaf leaf);
};

}  // namespace aios::models
