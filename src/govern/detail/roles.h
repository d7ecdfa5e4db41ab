// SPDX-License-Identifier: Apache-2.0
#pragma once
// govern/detail/roles: the names of the roles.

#include <array>
#include <string_view>

namespace aios::govern::detail {

constexpr std::array<std::string_view, 7> role_names = {
    "admin", "operator", "developer", "reviewer", "approver", "ingest", "auditor"};
bool is_role(std::string_view role);

}  // namespace aios::govern::detail
