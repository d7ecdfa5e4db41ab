// SPDX-License-Identifier: Apache-2.0
#pragma once
// tests/sim/audit: the audit log of the simulated server, on a disk of its own that nothing happens
// to: what it has signed, the store must never lose.

#include "core/test/folder.h"
#include "govern/audit.h"
#include "govern/audit_verify.h"
#include "runtime/sim.h"
#include "store/store.h"

#include <fmt/format.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace aios::sim {

class Audit {
 public:
  explicit Audit(std::function<void(std::string)> violate) : violate_(std::move(violate)) {}

  /// As a server does at its start.
  void open() {
    auto opened = govern::AuditLog::open(folder_.at("audit"), folder_.at("key"), "sim");
    if (!opened.ok()) {
      violate_("[audit] " + opened.error().text());
      return;
    }
    log_ = std::move(*opened);
  }

  void fold(store::Store& store, runtime::SimExecutor& executor,
            const std::vector<TenantId>& tenants) {
    if (!log_) {
      return;
    }
    auto folded = executor.run(log_->fold(store));
    if (!folded.ok() && folded.error().code() != Code::resource_exhausted) {
      violate_("[audit] " + folded.error().text());
    }
    for (const TenantId& tenant : tenants) {
      auto note = log_->checkpoint(tenant);
      auto& kept = kept_[tenant.text()];
      if (note.ok() && kept.size() < kept_max) {
        kept.push_back({fmt::format("checkpoint {}", kept.size()), std::move(*note)});
      }
    }
  }

  /// @return leaves under the last checkpoint
  std::uint64_t verify(const TenantId& tenant) {
    if (!log_ || log_->size(tenant) == 0) {
      return 0;
    }
    auto report = govern::verify_log({.directory = folder_.at("audit/" + tenant.text()),
                                      .verifier_key = log_->verifier_key(),
                                      .kept = kept_[tenant.text()]});
    if (!report.ok()) {
      violate_("[audit] " + report.error().text());
      return 0;
    }
    return report->leaves_checked;
  }

 private:
  static constexpr std::size_t kept_max = 4;
  std::function<void(std::string)> violate_;
  aios::test::Folder folder_;
  std::unique_ptr<govern::AuditLog> log_;
  std::map<std::string, std::vector<govern::KeptCheckpoint>> kept_;  // by tenant
};

}  // namespace aios::sim
