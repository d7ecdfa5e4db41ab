// SPDX-License-Identifier: Apache-2.0
#include "runtime/backoff.h"

#include <algorithm>
#include <cmath>

namespace aios::runtime {

std::optional<Duration> Backoff::next(const Error& error) {
  if (error.retry() == Retry::never || retries_ >= options_.retries_max) {
    return std::nullopt;
  }
  const double grown = static_cast<double>(options_.first.count()) *
                       std::pow(options_.factor, static_cast<double>(retries_));
  const double ceiling = std::min(grown, static_cast<double>(options_.cap.count()));
  retries_ += 1;
  const Duration pause(static_cast<std::int64_t>(ceiling * random_->unit()));
  return std::max(pause, error.retry_after().value_or(Duration(0)));
}

std::optional<Duration> Breaker::blocked(Instant now) {
  if (state_ == State::closed) {
    return std::nullopt;
  }
  if (state_ == State::open && now >= probe_at_) {
    state_ = State::half_open;  // the caller that gets this answer is the probe
    probe_at_ = now + open_for_;
    return std::nullopt;
  }
  if (state_ == State::half_open && now >= probe_at_) {  // the probe never reported: allow another
    probe_at_ = now + open_for_;
    return std::nullopt;
  }
  return probe_at_ - now;
}

void Breaker::success() {
  state_ = State::closed;
  failures_ = 0;
  open_for_ = Duration(0);
}

void Breaker::failure(Instant now) {
  failures_ += 1;
  if (state_ == State::closed && failures_ < options_.failures_max) {
    return;
  }
  open_for_ = open_for_.count() == 0 ? options_.open_for
                                     : std::min(open_for_ * 2, options_.open_for_max);
  state_ = State::open;
  probe_at_ = now + open_for_;
}

}  // namespace aios::runtime
