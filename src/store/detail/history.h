// SPDX-License-Identifier: Apache-2.0
#pragma once
// detail/history: events of a stream packed into chunks. An open stream has one chunk for each time
// it was folded, every event sealed by itself; a closed stream has one chunk: what a single key
// sealed is compressed together and sealed once. Versions, types and times stay readable when the
// key is gone.

#include "store/detail/engine.h"
#include "store/detail/sealer.h"

#include <string>
#include <string_view>
#include <vector>

namespace aios::store::detail {

class ChunkWriter {
 public:
  void add(std::uint64_t version, const RecordEvent& event);
  std::string take();  ///< empty when nothing was added

 private:
  std::string out_;
};

/// Unseals the events of a chunk to the end of `rows`.
Result<void> read_chunk(Sealer& sealer, const std::string& key, std::string_view chunk,
                        std::vector<HistoryRow>* rows);
/// One chunk out of many. What cannot be opened any more, or is short, stays as it is.
std::string pack_closed(Sealer& sealer, const std::string& key,
                        const std::vector<std::string>& chunks);

}  // namespace aios::store::detail
