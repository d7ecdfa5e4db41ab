// SPDX-License-Identifier: Apache-2.0
#pragma once
// runtime/rate: so many a minute. A sixth of them may come at once, the others come back evenly.
// Threading: any.

#include "core/time.h"

#include <cstdint>
#include <mutex>

namespace aios::runtime {

class Rate {
 public:
  /// @param per_minute  at least 1
  explicit Rate(std::uint32_t per_minute);
  /// One more. @return how long to wait for it; zero: it is taken
  Duration take(Instant now);

 private:
  std::mutex mutex_;
  double per_minute_;
  double at_once_;
  double left_;
  Instant seen_;
};

}  // namespace aios::runtime
