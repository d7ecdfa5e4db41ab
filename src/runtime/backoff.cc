// SPDX-License-Identifier: Apache-2.0
#include "runtime/backoff.h"

#include <algorithm>
#include <cmath>

namespace aios::runtime {

std::optional<Duration> Backoff::next(const Error& error) {
  if (error.retry() == Retry::never || retries_ >= options_.retries_max) {
    return std::nullopt;
  }
  const double grown =
      static_cast<double>(options_.first.count()) * std::pow(options_.factor, retries_);
  const double ceiling = std::min(grown, static_cast<double>(options_.cap.count()));
  ++retries_;
  // Full jitter: clients that failed together do not come back together.
  const Duration pause(static_cast<std::int64_t>(ceiling * random_->unit()));
  return std::max(pause, error.retry_after().value_or(Duration(0)));
}

std::optional<Duration> Breaker::blocked(Instant now) {
  if (state_ == State::closed) {
    return std::nullopt;
  }
  if (now < probe_at_) {
    return probe_at_ - now;
  }
  // One caller probes. Should it never report, another may after the same time.
  state_ = State::half_open;
  probe_at_ = now + open_for_;
  return std::nullopt;
}

void Breaker::success() {
  state_ = State::closed;
  failures_ = 0;
}

void Breaker::failure(Instant now) {
  if (state_ == State::open) {
    return;  // a late answer from before
  }
  if (state_ == State::half_open) {
    open_for_ = std::min(open_for_ * 2, options_.open_for_max);
  } else if (++failures_ >= options_.failures_max) {
    open_for_ = options_.open_for;
  } else {
    return;
  }
  state_ = State::open;
  probe_at_ = now + open_for_;
}

}  // namespace aios::runtime
