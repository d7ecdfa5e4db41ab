// SPDX-License-Identifier: Apache-2.0
#pragma once
// workflow/detail/pieces: small things that more than one file of the engine says.

#include "core/context.h"
#include "core/json.h"
#include "core/time.h"

#include <algorithm>
#include <string>
#include <vector>

namespace aios::workflow {

/// Until the first look that nobody asked for, of a run that waits for others.
inline constexpr Duration first_look = std::chrono::seconds(10);
/// Until the next: as long as the run has waited, within bounds.
inline Duration look_pause(Duration waited) {
  return std::clamp<Duration>(waited, first_look, std::chrono::minutes(30));
}

/// Who it was, in histories and leaves.
inline std::string who(const Context& ctx) { return ctx.principal ? ctx.principal->id : "system"; }

inline JsonArray texts(const std::vector<std::string>& values) {
  JsonArray out;
  for (const std::string& value : values) {
    out.emplace_back(value);
  }
  return out;
}

}  // namespace aios::workflow
