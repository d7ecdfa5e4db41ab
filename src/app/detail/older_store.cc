// SPDX-License-Identifier: Apache-2.0
// A store that is older than the audit log beside it.
#include "app/detail/system_impl.h"
#include "govern/audit.h"
#include "store/restored.h"

#include <fmt/format.h>

namespace aios::app {

/// The log has signed leaves that the store does not have: the store is an older copy, and the one
/// that it was copied from went on. Its runs are those of a backup.
Result<void> SystemImpl::doubt_older_store() {
  const Context ctx = system_context(default_tenant(), "audit");
  auto tenants = shards_.run(0, store_->tenants_with_leaves(ctx));
  if (!tenants.ok()) {
    return std::move(tenants).error();
  }
  for (const TenantId& tenant : *tenants) {
    auto count = shards_.run(0, store_->leaf_count(system_context(tenant, "audit")));
    if (!count.ok()) {
      return std::move(count).error();
    }
    if (*count >= audit_->size(tenant)) {
      continue;
    }
    // A second earlier, for the note is rounded up: what begins from now on is no part of it.
    const Time now = runtime::system_clock().now();
    auto noted = store::note_restored(options_.data, now + -Duration(std::chrono::seconds(1)));
    if (!noted.ok()) {
      return noted;
    }
    restored_ = now;
    log_.error("app",
               Error(Code::data_loss,
                     fmt::format("the store of tenant '{}' has {} leaves, the log has signed {}: "
                                 "it is an older copy, and its runs ask before they act again",
                                 tenant.text(), *count, audit_->size(tenant)))
                   .page(524));
    return {};
  }
  return {};
}

}  // namespace aios::app
