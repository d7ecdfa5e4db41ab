// SPDX-License-Identifier: Apache-2.0
#pragma once
// workflow/detail/definitions: which definitions each tenant has, which is the newest, and how a
// run finds the one it started with after a restart. Threading: any.

#include "core/context.h"
#include "core/result.h"
#include "runtime/task.h"
#include "store/store.h"
#include "workflow/detail/definition.h"

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace aios::workflow {

using DefinitionPtr = std::shared_ptr<const Definition>;

/// All of them, or errors. What they say of one another is checked as well.
std::vector<DefinitionPtr> load_all(const std::vector<DefinitionFile>& files,
                                    const FunctionRegistry& functions, std::vector<Error>* errors);

class Definitions {
 public:
  /// Both outlive it.
  Definitions(store::Store& store, const FunctionRegistry& functions);

  /// Replaces the tenant's.
  void put(const TenantId& tenant, const std::vector<DefinitionPtr>& loaded);
  std::vector<DefinitionInfo> all(const TenantId& tenant) const;
  std::vector<DefinitionInfo> triggered_by(const TenantId& tenant,
                                           std::string_view event_type) const;
  bool listened(const TenantId& tenant, std::string_view event_type) const;
  /// @param version  empty: any. Null: there is none.
  DefinitionPtr newest(const TenantId& tenant, const std::string& workflow,
                       const std::string& version) const;
  /// not_found [AIOS-1010] with the nearest name.
  Error unknown(const TenantId& tenant, const std::string& workflow,
                const std::string& version) const;
  Task<Result<DefinitionPtr>> by_digest(Context ctx, std::string digest, std::string blob);
  /// Where its text is kept.
  Task<Result<std::string>> keep_text(Context ctx, DefinitionPtr definition);

 private:
  using ByName = std::map<std::string, std::vector<DefinitionPtr>>;  // newest last
  DefinitionPtr share(DefinitionPtr definition);

  store::Store& store_;
  const FunctionRegistry& functions_;
  mutable std::mutex mutex_;  // guards what follows
  std::map<TenantId, ByName> installed_;
  /// By digest; what no installation and no run in memory refers to is gone.
  std::map<std::string, std::weak_ptr<const Definition>, std::less<>> known_;
  std::map<TenantId, std::map<std::string, std::string>> kept_;  // digest -> blob, of those there
};

}  // namespace aios::workflow
