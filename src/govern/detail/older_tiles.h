// SPDX-License-Identifier: Apache-2.0
#pragma once
// govern/detail/older_tiles: partial tiles that a wider one has replaced and nobody has cleared
// away. Readers of an older checkpoint may still take them.

#include "core/result.h"
#include "govern/tlog.h"

#include <cstdint>
#include <optional>
#include <string>

namespace aios::govern::detail {

/// The first partial tile under `size` leaves that is not the beginning of the tile in its place;
/// in the order of paths. To be asked of a log whose newest tiles were checked.
std::optional<TileId> odd_older_tile(const std::string& folder, std::uint64_t size);

}  // namespace aios::govern::detail
