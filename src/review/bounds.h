// SPDX-License-Identifier: Apache-2.0
#pragma once
// review/bounds: how much a question may say of itself; a bundle's check holds its steps to it.

#include <cstddef>

namespace aios::review {

inline constexpr std::size_t assignees_max = 16;
inline constexpr std::size_t escalations_max = 8;

}  // namespace aios::review
