// SPDX-License-Identifier: Apache-2.0
#pragma once
// tests/tenants/shop: the bundle that every tenant runs, the same names in each: events and
// webhooks that start runs, a payment, a question, an emitted event that others get, a model.

#include <cstdint>
#include <map>
#include <string>

namespace aios::tenants {

/// @param edition  another number, another content.
std::map<std::string, std::string> shop_files(std::uint64_t edition);

/// What signs a tenant's webhooks; of each tenant its own.
std::string hook_key(const std::string& tenant);

}  // namespace aios::tenants
