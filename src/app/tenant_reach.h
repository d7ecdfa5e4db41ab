// SPDX-License-Identifier: Apache-2.0
#pragma once
// app/tenant_reach: which networks a tenant's calls may reach. The one place: everything that
// leaves for a tenant (connectors, `call: http`, hosted models, callbacks and events) goes through
// the client that is made here. The first tenant's calls go where its bundle says; those of further
// tenants reach public addresses alone, unless the server's settings name the tenant. The address
// is looked at where it is connected to (net::Reach), so no name gets round it.

#include "core/ids.h"
#include "core/result.h"
#include "net/client.h"

#include <memory>
#include <optional>
#include <set>
#include <string>

namespace aios::app {

/// "acme, beta" as names of tenants. @return invalid_argument [AIOS-0010]
Result<std::set<TenantId>> read_tenants(const std::string& text);
/// For a setting: what is wanted where it is no such list.
std::optional<std::string> refuse_tenants(const std::string& value);

/// @param allowed  further tenants whose calls may reach private addresses.
/// @return sends as `client` does; permission_denied [AIOS-1481] (nothing sent) where a further
///         tenant's call has no public address.
std::unique_ptr<net::Client> hold_tenants(std::unique_ptr<net::Client> client,
                                          std::set<TenantId> allowed);

}  // namespace aios::app
