// SPDX-License-Identifier: Apache-2.0
#pragma once
// app/seen_time: a time for what cannot be taken back. It follows the clock of the wall, but no
// faster than this server has seen time pass: a clock that jumps ahead, at a start too, moves it
// little. Kept in a small file over starts; without one it begins at the clock's time. Threading:
// one caller at a time.

#include "core/result.h"
#include "core/time.h"

#include <optional>
#include <string>

namespace aios::app {

class SeenTime {
 public:
  /// What it missed while the server was down it makes up for so many times as fast as time passes.
  static constexpr int catching_up = 8;

  /// @param file  empty: not kept
  explicit SeenTime(std::string file);
  /// @return at most `wall`. A clock that is behind, or was never set, moves nothing.
  Time pass(Time wall, Instant now);
  /// Blocks. resource_exhausted or permission_denied [AIOS-1403].
  Result<void> keep() const;

 private:
  std::string file_;
  std::optional<Time> at_;
  std::optional<Instant> passed_;
};

}  // namespace aios::app
