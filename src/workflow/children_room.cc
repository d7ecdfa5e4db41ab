// SPDX-License-Identifier: Apache-2.0
#include "workflow/detail/children_room.h"

#include "workflow/detail/state.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>

namespace aios::workflow {
namespace {

/// What the rest of a commit takes beside states: histories, leaves, names.
constexpr std::size_t commit_rest_bytes = std::size_t{128} << 10;

std::size_t bytes_of(const store::StreamWrite& write) {
  return write.state ? write.state->bytes.size() : 0;
}

std::size_t bytes_of(const std::vector<store::StreamWrite>& writes) {
  std::size_t bytes = 0;
  for (const auto& write : writes) {
    bytes += bytes_of(write);
  }
  return bytes;
}

}  // namespace

std::optional<Problem> no_room_for(const LiveRun& run,
                                   const std::vector<store::StreamWrite>& begun) {
  const auto own = encode_state(run.state, run.definition.get()).size() + bytes_of(run.writes);
  const auto theirs = bytes_of(begun);
  const auto room = store::transition_bytes_max - commit_rest_bytes;
  if (own + theirs <= room) {
    return std::nullopt;
  }
  std::size_t most = 0;
  for (const auto& write : begun) {
    most = std::max(most, bytes_of(write));
  }
  return make_problem(
      ProblemType::runtime,
      fmt::format("the {} runs that begin here take {} bytes together (the largest {}: input, "
                  "context and what the run learned go along with each) and this run itself {}; "
                  "one commit holds {} [AIOS-1037]",
                  begun.size(), theirs, most, own, room),
      run.log.children.front().step);
}

}  // namespace aios::workflow
