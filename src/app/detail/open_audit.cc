// SPDX-License-Identifier: Apache-2.0
// The start's part with the audit log: opening it, holding the store to it, and the patrol over its
// files.
#include "app/detail/system_impl.h"
#include "app/older_store.h"
#include "observe/metric_table.h"

#include <fmt/format.h>

namespace aios::app {

/// What the patrol over the log's files found of one.
void SystemImpl::tell_of_log(const TenantId& tenant, const Result<void>& found) {
  if (!found.ok()) {
    log_.error("audit",
               Error(found.error()).with(fmt::format("verifying the log of '{}'", tenant.text())));
  } else {
    log_.write(observe::Level::warn, "audit",
               fmt::format("the log of '{}' is again as it was signed", tenant.text()));
  }
}

Result<void> SystemImpl::open_audit() {
  auto tenants =
      shards_.run(0, store_->tenants_with_leaves(system_context(default_tenant(), "audit")));
  if (!tenants.ok()) {
    return std::move(tenants).error();
  }
  auto settled = settle_audit_key(options_.data, !tenants->empty(), options_.lost_audit_key);
  if (!settled.ok()) {
    return settled;
  }
  auto audit = govern::AuditLog::open(audit_folder(options_.data), audit_key_file(options_.data),
                                      new_audit_origin(), &pool_,
                                      [this](const Error& error) { watch_->rebuilt(error); });
  if (!audit.ok()) {
    return std::move(audit).error();
  }
  audit_ = std::move(*audit);
  patrol_ = std::make_unique<govern::AuditPatrol>(
      audit_folder(options_.data), audit_->verifier_key(), runtime::system_clock(),
      [this](const TenantId& tenant, const Result<void>& found) { tell_of_log(tenant, found); });
  metrics_.gauge(observe::metric("aios_audit_logs_altered"),
                 [this] { return static_cast<double>(patrol_->seen().altered.size()); });
  return {};
}

/// Where runs go on.
Result<void> SystemImpl::doubt_store() {
  if (options_.runs == Runs::rest) {
    return {};
  }
  const Time now = runtime::system_clock().now();
  auto doubted =
      shards_.run(0, doubt_older_store({store_.get(), audit_.get(), &log_, options_.data, now}));
  if (!doubted.ok()) {
    return std::move(doubted).error();
  }
  restored_ = *doubted ? *doubted : restored_;
  return {};
}

}  // namespace aios::app
