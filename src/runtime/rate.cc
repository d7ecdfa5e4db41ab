// SPDX-License-Identifier: Apache-2.0
#include "runtime/rate.h"

#include <algorithm>

namespace aios::runtime {

Rate::Rate(std::uint32_t per_minute)
    : per_minute_(per_minute),
      at_once_(std::max(1.0, per_minute / 6.0)),
      left_(at_once_) {}

Duration Rate::take(Instant now) {
  const std::lock_guard lock(mutex_);
  const double per_nanosecond = per_minute_ / 60e9;
  left_ = std::min(at_once_, left_ + static_cast<double>((now - seen_).count()) * per_nanosecond);
  seen_ = now;
  if (left_ >= 1) {
    left_ -= 1;
    return Duration(0);
  }
  return Duration(static_cast<std::int64_t>((1 - left_) / per_nanosecond) + 1);
}

}  // namespace aios::runtime
