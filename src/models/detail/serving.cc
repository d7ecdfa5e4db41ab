// SPDX-License-Identifier: Apache-2.0
#include "models/detail/serving.h"

#include "core/text.h"

#include <fmt/format.h>

namespace aios::models::detail {

ServingTable::ServingTable() : snapshot_(std::make_shared<const Snapshot>()) {}

std::shared_ptr<const ServingTable::Snapshot> ServingTable::snapshot() const {
  return snapshot_.load(std::memory_order_acquire);
}

void ServingTable::set(const TenantId& tenant, ServingEntry entry) {
  const std::lock_guard lock(writers_);
  auto next = std::make_shared<Snapshot>(*snapshot());
  Aliases& aliases = (*next)[tenant];
  const auto at = aliases.find(entry.info.alias);
  if (at != aliases.end() && at->second.revision > entry.revision) {
    return;
  }
  std::string alias = entry.info.alias;
  aliases.insert_or_assign(std::move(alias), std::move(entry));
  snapshot_.store(std::move(next), std::memory_order_release);
}

std::vector<AliasInfo> ServingTable::aliases(const TenantId& tenant) const {
  const auto now = snapshot();
  std::vector<AliasInfo> infos;
  const auto at = now->find(tenant);
  if (at != now->end()) {
    for (const auto& [alias, entry] : at->second) {
      if (!entry.removed) {
        infos.push_back(entry.info);
      }
    }
  }
  return infos;
}

std::optional<AliasInfo> ServingTable::last(const TenantId& tenant, std::string_view alias) const {
  const auto now = snapshot();
  const auto of_tenant = now->find(tenant);
  if (of_tenant == now->end()) {
    return std::nullopt;
  }
  const auto at = of_tenant->second.find(alias);
  return at == of_tenant->second.end() ? std::nullopt : std::optional(at->second.info);
}

Result<Models::Serving> ServingTable::find(const TenantId& tenant, std::string_view alias) const {
  const auto now = snapshot();
  const auto of_tenant = now->find(tenant);
  const Aliases none;
  const Aliases& aliases = of_tenant == now->end() ? none : of_tenant->second;
  const auto at = aliases.find(alias);
  if (at == aliases.end() || at->second.removed) {
    std::vector<std::string> names;
    for (const auto& [name, entry] : aliases) {
      if (!entry.removed) {
        names.push_back(name);
      }
    }
    return Error(Code::not_found, fmt::format("no model serves the alias '{}'{}",
                                              excerpt(alias, 60), hint(alias, names)))
        .page(705);
  }
  const ServingEntry& entry = at->second;
  if (!entry.model) {
    // As where nothing serves: whoever can wait waits until another version does.
    return Error(entry.unreadable->code(),
                 fmt::format("what serves the alias '{}' cannot be read: {}", alias,
                             entry.unreadable->text()))
        .page(705);
  }
  return Models::Serving{entry.model, entry.info.model, entry.info.version};
}

std::shared_ptr<const Model> ServingTable::loaded(const TenantId& tenant, std::string_view model,
                                                  std::uint32_t version) const {
  const auto now = snapshot();
  const auto at = now->find(tenant);
  if (at != now->end()) {
    for (const auto& [alias, entry] : at->second) {
      if (entry.info.model == model && entry.info.version == version && entry.model) {
        return entry.model;
      }
    }
  }
  return nullptr;
}

}  // namespace aios::models::detail
