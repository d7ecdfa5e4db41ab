// SPDX-License-Identifier: Apache-2.0
#pragma once
// govern/detail/phone_members: whether a member's name says that its value is a phone number.

#include <cstdint>
#include <string_view>

namespace aios::govern::detail {

/// What the names around a value say of it.
enum class Under : std::uint8_t { anything, phone };

/// "phone", "mobileNumber", "fax_no", "phones"; and within such a member "number", "home". Not
/// "phone_type", not "mobile_orders".
/// @param outer  what is known of the object that has the member.
Under under_member(std::string_view name, Under outer);

}  // namespace aios::govern::detail
