// SPDX-License-Identifier: Apache-2.0
#pragma once
// runtime/detail/mix: the step and the finaliser of SplitMix64 (Steele, Lea, Flood 2014), a fast
// 64-bit generator.

#include <cstdint>

namespace aios::runtime::detail {

inline constexpr std::uint64_t golden = 0x9E3779B97F4A7C15;

constexpr std::uint64_t mix(std::uint64_t value) {
  value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9;
  value = (value ^ value >> 27) * 0x94D049BB133111EB;
  return value ^ value >> 31;
}

}  // namespace aios::runtime::detail
