// SPDX-License-Identifier: Apache-2.0
#pragma once
// tests/fuzz/same: whether two JSON values are the same to whoever reads them: 3500.0 is 3500.

#include "core/json.h"

#include <algorithm>

namespace aios::fuzz {

inline bool same(const Json& a, const Json& b) {
  if (a.is_number() && b.is_number()) {
    return a == b || a.to_number<double>() == b.to_number<double>();
  }
  if (a.is_array() && b.is_array()) {
    const auto& x = a.get_array();
    const auto& y = b.get_array();
    return std::equal(x.begin(), x.end(), y.begin(), y.end(), same);
  }
  if (a.is_object() && b.is_object()) {
    const auto& y = b.get_object();
    return a.get_object().size() == y.size() &&
           std::all_of(a.get_object().begin(), a.get_object().end(), [&](const auto& member) {
             const Json* other = y.if_contains(member.key());
             return other != nullptr && same(member.value(), *other);
           });
  }
  return a == b;
}

}  // namespace aios::fuzz
