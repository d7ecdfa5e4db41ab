// SPDX-License-Identifier: Apache-2.0
#pragma once
// govern/tlog_proof: proofs from the tiles of a log: what an auditor computes without reading every
// leaf. Logarithmic in the size of the log; reads files through the caller.

#include "core/crypto.h"
#include "core/result.h"
#include "govern/tlog.h"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace aios::govern {

/// The bytes of a tile of hashes; of a partial one at least as many hashes as its width says.
using ReadTile = std::function<Result<std::string>(const TileId&)>;

/// That the tree of `size` leaves continues that of its first `older`, for verify_consistency().
/// @param older  1 to size
/// @return what `read` returned; data_loss when a tile is too short.
Result<std::vector<Digest>> prove_consistency(std::uint64_t size, std::uint64_t older,
                                              const ReadTile& read);

}  // namespace aios::govern
