// SPDX-License-Identifier: Apache-2.0
#pragma once
// gateway/price: what tokens cost. Whole numbers only: nano-units of a currency (1 EUR = 10^9), for
// a million tokens; a cost is rounded up, so that a sum of costs is never below the vendor's bill.

#include <cstdint>
#include <string>

namespace aios::gateway {

/// Tokens of one call, as the vendor counts them.
struct Usage {
  std::uint64_t input_tokens = 0;
  std::uint64_t output_tokens = 0;
};

/// The most that a call may be said to have used: what is above is no count of tokens.
inline constexpr std::uint64_t tokens_max = std::uint64_t{1} << 32;

struct Price {
  std::string currency;
  std::int64_t input_nano_per_million = 0;   ///< 0 to 10^18
  std::int64_t output_nano_per_million = 0;  ///< the same

  /// In nano-units of the currency; INT64_MAX where it would be more. Usage up to tokens_max.
  std::int64_t cost_nano(const Usage& usage) const;
};

}  // namespace aios::gateway
