// SPDX-License-Identifier: Apache-2.0
#pragma once
// net/detail/body_budget: the memory that bodies may take, all connections together.
// Threading: the budget any, a share one.

#include <atomic>
#include <cstddef>
#include <utility>

namespace aios::net::detail {

class BodyBudget {
 public:
  explicit BodyBudget(std::size_t bytes_max) : bytes_max_(bytes_max) {}

 private:
  friend class BodyShare;
  bool take(std::size_t bytes) {
    if (used_.fetch_add(bytes, std::memory_order_relaxed) + bytes <= bytes_max_) {
      return true;
    }
    give(bytes);
    return false;
  }
  void give(std::size_t bytes) { used_.fetch_sub(bytes, std::memory_order_relaxed); }

  const std::size_t bytes_max_;
  std::atomic<std::size_t> used_ = 0;
};

/// What one body has of it; given back at the end.
class BodyShare {
 public:
  explicit BodyShare(BodyBudget& budget) : budget_(&budget) {}
  BodyShare(const BodyShare&) = delete;
  BodyShare& operator=(const BodyShare&) = delete;
  ~BodyShare() { release(); }
  /// @return false: there is not so much; the share stays what it was.
  bool grow_to(std::size_t bytes) {
    if (bytes <= bytes_) {
      return true;
    }
    if (!budget_->take(bytes - bytes_)) {
      return false;
    }
    bytes_ = bytes;
    return true;
  }
  void release() { budget_->give(std::exchange(bytes_, 0)); }

 private:
  BodyBudget* budget_;
  std::size_t bytes_ = 0;
};

}  // namespace aios::net::detail
