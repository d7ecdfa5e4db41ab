// SPDX-License-Identifier: Apache-2.0
#include "ingress/sources.h"

#include "ingress/detail/source_reader.h"

#include <utility>

namespace aios::ingress {
namespace {

Error too_many(const SourceFile& file) {
  return Error(Code::invalid_argument,
               "a bundle has at most " + std::to_string(Sources::per_tenant_max) + " sources")
      .page(page_source)
      .at(file.path, 1, 1);
}

}  // namespace

CheckedSources Sources::check(const TenantId& tenant, const std::vector<SourceFile>& files,
                              const JsonObject& params) {
  CheckedSources out;
  if (files.size() > per_tenant_max) {
    out.errors.push_back(too_many(files.back()));
    return out;
  }
  SourceRegistry registry;
  register_all_sources(registry);
  const SourceReader reader(registry, tenant, params);
  std::map<std::string, std::string> seen;  // name -> file
  for (const SourceFile& file : files) {
    auto source = reader.read(file, &out);
    if (!source) {
      continue;
    }
    const auto [first, fresh] = seen.emplace(source->name, file.path);
    if (!fresh) {
      out.errors.push_back(
          Error(Code::already_exists,
                "the name '" + source->name + "' is that of the source in " + first->second)
              .page(page_source)
              .at(file.path, 1, 1));
      continue;
    }
    out.sources.push_back(std::move(source));
  }
  return out;
}

Staged Sources::stage(const TenantId& tenant, const std::vector<SourceFile>& files,
                      const JsonObject& params) {
  auto checked = check(tenant, files, params);
  Staged out;
  out.errors = std::move(checked.errors);
  if (!out.errors.empty()) {
    return out;
  }
  Named named;
  for (auto& source : checked.sources) {
    named.emplace(source->name, std::move(source));
  }
  out.put = [this, tenant, named = std::move(named)]() mutable {
    const std::lock_guard lock(mutex_);
    tenants_[tenant] = std::move(named);
  };
  return out;
}

Result<void> Sources::ready(const DeclaredSource& source, const std::string& watch_root) {
  SourceRegistry registry;
  register_all_sources(registry);
  for (const SourceEntry& entry : registry.entries()) {
    if (entry.name == source.kind && entry.ready != nullptr) {
      return entry.ready(source, watch_root);
    }
  }
  return {};
}

SourcePtr Sources::find(const TenantId& tenant, std::string_view name) const {
  const std::lock_guard lock(mutex_);
  const auto of_one = tenants_.find(tenant);
  if (of_one == tenants_.end()) {
    return nullptr;
  }
  const auto found = of_one->second.find(name);
  return found == of_one->second.end() ? nullptr : found->second;
}

std::vector<SourcePtr> Sources::of_kind(std::string_view kind) const {
  std::vector<SourcePtr> out;
  const std::lock_guard lock(mutex_);
  for (const auto& [tenant, named] : tenants_) {
    for (const auto& [name, source] : named) {
      if (source->kind == kind) {
        out.push_back(source);
      }
    }
  }
  return out;
}

std::vector<SourcePtr> Sources::of_tenant(const TenantId& tenant) const {
  std::vector<SourcePtr> out;
  const std::lock_guard lock(mutex_);
  const auto found = tenants_.find(tenant);
  if (found != tenants_.end()) {
    for (const auto& [name, source] : found->second) {
      out.push_back(source);
    }
  }
  return out;
}

bool may_pass(const Error& error) {
  return error.retry() != Retry::never || error.code() == Code::aborted ||
         error.code() == Code::cancelled || error.code() == Code::deadline_exceeded;
}

Context source_context(const DeclaredSource& source) {
  Context ctx = system_context(source.tenant, "source");
  auto principal = std::make_shared<Principal>();
  principal->id = "source:" + source.name;
  principal->kind = "system";
  ctx.principal = std::move(principal);
  return ctx;
}

}  // namespace aios::ingress
