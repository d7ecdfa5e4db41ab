// SPDX-License-Identifier: Apache-2.0
#pragma once
// detail/group: for whom the writer waits before it writes the next batch, and how long: one sync
// for many instead of one for each. Knows nothing of queues and clocks.
// Threading: none of its own.

#include "core/time.h"

#include <algorithm>
#include <chrono>
#include <cstddef>

namespace aios::store::detail {

class Group {
 public:
  /// Nobody of the batch is answered yet, and so many wait behind it: as many callers there are at
  /// least. Most of those that are answered come back soon. A lone caller is waited for by nobody.
  void written(std::size_t batch, std::size_t waiting) {
    batch_ = batch;
    callers_ = batch + waiting;
  }
  /// A batch of so many is whole; 0 or 1: there is nobody to wait for.
  std::size_t callers() const { return callers_; }
  /// How long to wait for those of the last batch, from their answer on: the more they were, the
  /// more a sync for all of them saves.
  Duration window(Duration most) const { return std::min<Duration>(most, per_caller * batch_); }

 private:
  static constexpr Duration per_caller = std::chrono::microseconds(50);
  std::size_t batch_ = 0;
  std::size_t callers_ = 0;
};

}  // namespace aios::store::detail
