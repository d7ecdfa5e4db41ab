// SPDX-License-Identifier: Apache-2.0
#include "gateway/price.h"

#include "core/result.h"

namespace aios::gateway {
namespace {

__extension__ using Wide = unsigned __int128;  // 2^32 tokens at 10^18 do not fit 64 bits

constexpr std::uint64_t million = 1'000'000;

}  // namespace

std::int64_t Price::cost_nano(const Usage& usage) const {
  AIOS_ASSERT(input_nano_per_million >= 0 && output_nano_per_million >= 0);
  AIOS_ASSERT(usage.input_tokens <= tokens_max && usage.output_tokens <= tokens_max);
  const Wide whole =
      Wide{usage.input_tokens} * static_cast<std::uint64_t>(input_nano_per_million) +
      Wide{usage.output_tokens} * static_cast<std::uint64_t>(output_nano_per_million);
  const Wide cost = (whole + million - 1) / million;
  return cost > Wide{INT64_MAX} ? INT64_MAX : static_cast<std::int64_t>(cost);
}

}  // namespace aios::gateway
