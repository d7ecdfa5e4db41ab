// SPDX-License-Identifier: Apache-2.0
#pragma once
// connectors/detail/impl: what connectors.cc (loading) and calls.cc (calling) share.

#include "connectors/connectors.h"
#include "connectors/detail/gate.h"

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

namespace aios::connectors {

namespace detail {
/// One deployed connector. Calls under way keep it alive after a reload.
struct Loaded {
  Loaded(std::string kind_name, std::unique_ptr<Connector> made)
      : kind(std::move(kind_name)),
        connector(std::move(made)),
        gate(connector->limits()) {}
  std::string kind;
  std::unique_ptr<Connector> connector;
  Gate gate;
};
using LoadedByName = std::map<std::string, std::shared_ptr<Loaded>, std::less<>>;
}  // namespace detail

struct Connectors::Impl {
  Impl(const govern::Guard& guard_in, net::Client& client_in, SecretSource secrets_in,
       observe::Metrics& metrics_in, runtime::Clock& clock_in)
      : guard(guard_in),
        client(client_in),
        secrets(std::move(secrets_in)),
        metrics(metrics_in),
        clock(clock_in) {}
  const govern::Guard& guard;
  net::Client& client;
  SecretSource secrets;
  observe::Metrics& metrics;
  runtime::Clock& clock;
  KindRegistry kinds;

  mutable std::mutex mutex;
  Recovered recovered;
  std::map<TenantId, std::shared_ptr<const detail::LoadedByName>> tenants;

  std::shared_ptr<const detail::LoadedByName> of(const TenantId& tenant) const;
  struct Found {
    std::shared_ptr<detail::Loaded> loaded;
    const OperationInfo* info = nullptr;
  };
  Result<Found> find(const TenantId& tenant, std::string_view connector,
                     std::string_view operation) const;
  /// Whether the system is where it was when the call was admitted. not_found [AIOS-0901]: the
  /// connector was taken away; unavailable [AIOS-0910]: it is elsewhere now.
  Result<void> in_place(const TenantId& tenant, const OperationInfo& admitted) const;
  /// [AIOS-0906] for the first secret that is not there.
  Result<void> has_secrets(const TenantId& tenant, const std::vector<std::string>& names) const;
  /// Gives the place back, and tells whoever waits for the connector when it is there again.
  void leave(const TenantId& tenant, const std::string& connector, detail::Loaded& loaded,
             Outcome outcome, const Error* error);
  /// What begin() would answer now, without taking anything.
  Result<void> can_begin(const TenantId& tenant, const detail::Loaded& loaded,
                         const OperationCall& call) const;
  /// Secrets, a place, the breaker. After success: leave() once.
  Task<Result<detail::Gate::Pass>> begin(Context ctx, std::shared_ptr<detail::Loaded> loaded,
                                         std::vector<std::string> needed);
  govern::Refusal undeclared(const Context& ctx, const OperationCall& call, Error error);
  void count(const OperationInfo& info, std::string_view outcome, Duration took);
};

}  // namespace aios::connectors
