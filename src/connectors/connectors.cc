// SPDX-License-Identifier: Apache-2.0
#include "connectors/connectors.h"

#include "connectors/detail/http_calls.h"
#include "connectors/detail/impl.h"
#include "core/text.h"
#include "expr/yaml.h"

#include <fmt/format.h>

#include <set>

namespace aios::connectors {

namespace {

/// To be admitted anew takes no time.
constexpr Duration moved_pause = std::chrono::milliseconds(10);

struct Head {
  std::string name, kind;
};

/// name and kind of a manifest; the rest is its kind's. Nothing when there is an error.
std::optional<Head> read_head(const ManifestFile& file, const KindRegistry& kinds,
                              std::vector<Error>* errors) {
  auto document = expr::parse_yaml(file.text, file.path);
  if (!document.ok()) {
    errors->push_back(document.error());
    return std::nullopt;
  }
  Head head{std::string(text_or(document->value, "name", "")),
            std::string(text_or(document->value, "kind", ""))};
  std::vector<std::string> known;
  for (const KindEntry& entry : kinds.entries()) {
    known.push_back(entry.name);
  }
  if (std::find(known.begin(), known.end(), head.kind) != known.end()) {
    return head;
  }
  const expr::Position place = document->positions.of("/kind");
  errors->push_back(
      Error(Code::invalid_argument, fmt::format("found connector kind '{}', wanted one of: {}",
                                                excerpt(head.kind, 40), join(known, ", ")))
          .page(900)
          .at(file.path, place.line, place.column));
  return std::nullopt;
}

const KindEntry& entry_of(const KindRegistry& kinds, std::string_view name) {
  for (const KindEntry& entry : kinds.entries()) {
    if (entry.name == name) {
      return entry;
    }
  }
  fail_assertion("the kind was looked up before", __FILE__, __LINE__);
}

detail::LoadedByName make_all(const KindRegistry& kinds, const KindServices& services,
                              const std::vector<ManifestFile>& files, const Json& params,
                              std::vector<Error>* errors) {
  detail::LoadedByName out;
  std::map<std::string, std::string> places;
  for (const ManifestFile& file : files) {
    const auto head = read_head(file, kinds, errors);
    if (!head) {
      continue;
    }
    auto made = entry_of(kinds, head->kind).make(services, file, params, errors);
    const auto [at, fresh] = places.try_emplace(head->name, file.path);
    if (!fresh) {
      errors->push_back(
          Error(Code::invalid_argument, fmt::format("connector '{}' is already defined in {}",
                                                    excerpt(head->name, 40), at->second))
              .page(900)
              .at(file.path, 1, 1));
    } else if (made) {
      out[head->name] = std::make_shared<detail::Loaded>(head->kind, std::move(made));
    }
  }
  return out;
}

}  // namespace

Connectors::Connectors(const govern::Guard& guard, net::Client& client, SecretSource secrets,
                       observe::Metrics& metrics, runtime::Clock& clock)
    : impl_(std::make_unique<Impl>(guard, client, std::move(secrets), metrics, clock)) {
  register_all_kinds(impl_->kinds);
}
Connectors::~Connectors() = default;

std::vector<Error> Connectors::load(const TenantId& tenant, const std::vector<ManifestFile>& files,
                                    const Json& params) {
  auto staged = stage(tenant, files, params);
  if (staged.errors.empty()) {
    staged.put();
  }
  return std::move(staged.errors);
}

Staged Connectors::stage(const TenantId& tenant, const std::vector<ManifestFile>& files,
                         const Json& params, const std::vector<Egress>& egress) {
  KindServices services;
  services.client = &impl_->client;
  services.clock = &impl_->clock;
  services.secret = [source = impl_->secrets, tenant](std::string_view name) {
    return source(tenant, name);
  };
  Staged staged;
  auto made = make_all(impl_->kinds, services, files, params, &staged.errors);
  for (const Egress& one : egress) {  // no manifest's name is an origin
    made[one.origin] = std::make_shared<detail::Loaded>(std::string(detail::http_calls_kind),
                                                        detail::make_http_calls(services, one));
  }
  if (staged.errors.empty()) {
    auto table = std::make_shared<const detail::LoadedByName>(std::move(made));
    staged.put = [impl = impl_.get(), tenant, table] {
      std::lock_guard lock(impl->mutex);
      impl->tenants[tenant] = table;
    };
  }
  return staged;
}

std::vector<Error> Connectors::check(const std::vector<ManifestFile>& files, const Json& params) {
  KindRegistry kinds;
  register_all_kinds(kinds);
  std::vector<Error> errors;
  make_all(kinds, {}, files, params, &errors);
  return errors;
}

std::shared_ptr<const detail::LoadedByName> Connectors::Impl::of(const TenantId& tenant) const {
  std::lock_guard lock(mutex);
  const auto found = tenants.find(tenant);
  return found == tenants.end() ? std::make_shared<const detail::LoadedByName>() : found->second;
}

Result<Connectors::Impl::Found> Connectors::Impl::find(const TenantId& tenant,
                                                       std::string_view connector,
                                                       std::string_view operation) const {
  const auto table = of(tenant);
  const auto loaded = table->find(connector);
  if (loaded == table->end() && connector.find("://") != std::string_view::npos) {
    std::vector<std::string> origins;
    for (const auto& [name, one] : *table) {
      if (one->kind == detail::http_calls_kind) {
        origins.push_back(name);
      }
    }
    return not_declared(connector, origins);
  }
  if (loaded == table->end()) {
    std::vector<std::string> names;
    for (const auto& [name, ignored] : *table) {
      names.push_back(name);
    }
    return Error(Code::not_found, fmt::format("there is no connector '{}'{}",
                                              excerpt(connector, 40), hint(connector, names)))
        .page(901);
  }
  const OperationInfo* info = loaded->second->connector->describe(operation);
  if (info == nullptr) {
    return Error(Code::not_found,
                 fmt::format("connector '{}' has no operation '{}'{}", connector,
                             excerpt(operation, 40),
                             hint(operation, loaded->second->connector->operations())))
        .page(901);
  }
  return Found{loaded->second, info};
}

Result<void> Connectors::Impl::in_place(const TenantId& tenant,
                                        const OperationInfo& admitted) const {
  const auto found = find(tenant, admitted.connector, admitted.operation);
  if (!found.ok()) {
    return found.error();
  }
  if (found->info->region == admitted.region && found->info->origin == admitted.origin) {
    return {};
  }
  return Error(Code::unavailable,
               fmt::format("connector '{}' was deployed for another region or address after the "
                           "call was admitted",
                           admitted.connector),
               Retry::same_call)
      .page(910)
      .after(moved_pause);
}

Result<OperationInfo> Connectors::describe(const TenantId& tenant, std::string_view connector,
                                           std::string_view operation) const {
  auto found = impl_->find(tenant, connector, operation);
  if (!found.ok()) {
    return std::move(found).error();
  }
  return *found->info;
}

Result<Json> Connectors::recall(const TenantId& tenant, const OperationCall& call,
                                const Json& result) const {
  auto found = impl_->find(tenant, call.connector, call.operation);
  if (!found.ok()) {
    return std::move(found).error();
  }
  return found->loaded->connector->recall(call, result);
}

std::vector<ConnectorStatus> Connectors::list(const TenantId& tenant) const {
  std::vector<ConnectorStatus> out;
  const auto table = impl_->of(tenant);
  for (const auto& [name, loaded] : *table) {
    ConnectorStatus status;
    status.name = name;
    status.kind = loaded->kind;
    status.breaker = loaded->gate.breaker_state();
    status.operations = loaded->connector->operations();
    for (const std::string& operation : status.operations) {
      status.region = loaded->connector->describe(operation)->region;
    }
    out.push_back(std::move(status));
  }
  return out;
}

Result<void> Connectors::Impl::has_secrets(const TenantId& tenant,
                                           const std::vector<std::string>& names) const {
  for (const std::string& name : names) {
    auto secret = secrets(tenant, name);
    if (!secret.ok()) {
      return Error(Code::unavailable, std::string(secret.error().message()), Retry::same_call)
          .page(906)
          .after(secret_pause);
    }
  }
  return {};
}

void Connectors::on_recovered(Recovered recovered) {
  std::lock_guard lock(impl_->mutex);
  impl_->recovered = std::move(recovered);
}

std::vector<Error> Connectors::missing_secrets(const TenantId& tenant) const {
  std::vector<Error> missing;
  const auto table = impl_->of(tenant);
  for (const auto& [name, loaded] : *table) {
    auto there = impl_->has_secrets(tenant, loaded->connector->secrets());
    if (!there.ok()) {
      missing.push_back(
          std::move(there).error().with(fmt::format("looking at connector '{}'", name)));
    }
  }
  return missing;
}

}  // namespace aios::connectors
