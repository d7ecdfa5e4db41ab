// SPDX-License-Identifier: Apache-2.0
#pragma once
// gateway/detail/content: what a model's input holds, found in the input itself and not taken from
// anybody's word.

#include "core/json.h"
#include "core/result.h"
#include "govern/personal_data.h"

#include <cstdint>
#include <string>
#include <vector>

namespace aios::gateway::detail {

inline constexpr std::size_t input_bytes_max = std::size_t{1} << 20;

struct Content {
  std::vector<std::string> personal;  ///< kinds found (govern/personal_data), sorted, each once
  std::uint64_t characters = 0;       ///< code points in all texts together
};

/// Looks at every text and whole number in the value, the members' names included.
/// @return invalid_argument [AIOS-0800] when all texts together are longer than input_bytes_max.
Result<Content> look_at(const Json& input);
/// Puts marks in the place of personal data, and looks again.
/// @return policy_denied [AIOS-0517] when something is found still.
Result<void> mask(Json* input);

}  // namespace aios::gateway::detail
