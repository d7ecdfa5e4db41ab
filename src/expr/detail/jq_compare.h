// SPDX-License-Identifier: Apache-2.0
#pragma once
// expr/detail/jq_compare: jq's order of values, and containment. All charge the budget and say when
// values are too deep.

#include "expr/detail/jq_value.h"

#include <cstdint>
#include <vector>

namespace aios::expr::detail {

/// Deeper values are refused by whatever walks them, with jq's own messages.
inline constexpr std::uint32_t walk_depth_max = 10'000;

enum class Walk : std::uint8_t { done, too_deep };

/// *order < 0, 0 or > 0; objects by their sorted keys first, then by the values in that order.
Walk compare(Budget& budget, const Value& a, const Value& b, int* order);
Walk equal(Budget& budget, const Value& a, const Value& b, bool* same);
Walk contains(Budget& budget, const Value& a, const Value& b, bool* result);

/// Member positions in the order of their keys.
std::vector<std::uint32_t> sorted_members(const Value& object);

/// Order of values by their keys: a stable sort; false when a comparison was too deep or the budget
/// is spent.
bool sort_order(Budget& budget, const std::vector<Value>& keys, std::vector<std::uint32_t>* order);

}  // namespace aios::expr::detail
