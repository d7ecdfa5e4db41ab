// SPDX-License-Identifier: Apache-2.0
#pragma once
// net/detail/body_budget: the memory that bodies may take: all connections together, and shares of
// it for each address and each sender, so that nobody keeps all others out.
// Threading: the budget any, a share one.

#include <cstddef>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>

namespace aios::net::detail {

/// Whose body it is.
struct BodyOwner {
  std::string address;
  std::string sender;  ///< of that address: the one key
};

class BodyBudget {
 public:
  explicit BodyBudget(std::size_t bytes_max) : bytes_max_(bytes_max) {}
  /// Three quarters: a proxy in front is one address.
  std::size_t address_bytes_max() const { return bytes_max_ - bytes_max_ / 4; }
  std::size_t sender_bytes_max() const { return bytes_max_ / 2; }

 private:
  friend class BodyShare;
  using Parts = std::unordered_map<std::string, std::size_t>;
  static std::size_t of(const Parts& parts, const std::string& name) {
    const auto found = parts.find(name);
    return found == parts.end() ? 0 : found->second;
  }
  static void give(Parts& parts, const std::string& name, std::size_t bytes) {
    const auto found = parts.find(name);
    found->second -= bytes;
    if (found->second == 0) {
      parts.erase(found);
    }
  }
  bool take(const BodyOwner& owner, std::size_t bytes) {
    std::lock_guard lock(mutex_);
    if (used_ + bytes > bytes_max_ || of(addresses_, owner.address) + bytes > address_bytes_max() ||
        of(senders_, owner.sender) + bytes > sender_bytes_max()) {
      return false;
    }
    used_ += bytes;
    addresses_[owner.address] += bytes;
    senders_[owner.sender] += bytes;
    return true;
  }
  void give(const BodyOwner& owner, std::size_t bytes) {
    std::lock_guard lock(mutex_);
    used_ -= bytes;
    give(addresses_, owner.address, bytes);
    give(senders_, owner.sender, bytes);
  }

  const std::size_t bytes_max_;
  std::mutex mutex_;
  std::size_t used_ = 0;
  Parts addresses_;  ///< those that have some
  Parts senders_;
};

/// What one body has of it; given back at the end.
class BodyShare {
 public:
  explicit BodyShare(BodyBudget& budget) : budget_(&budget) {}
  BodyShare(const BodyShare&) = delete;
  BodyShare& operator=(const BodyShare&) = delete;
  ~BodyShare() { release(); }
  /// Whose the next body is; the one before is given back.
  void begin(BodyOwner owner) {
    release();
    owner_ = std::move(owner);
  }
  /// @return false: there is not so much; the share stays what it was.
  bool grow_to(std::size_t bytes) {
    if (bytes <= bytes_) {
      return true;
    }
    if (!budget_->take(owner_, bytes - bytes_)) {
      return false;
    }
    bytes_ = bytes;
    return true;
  }
  void release() {
    if (bytes_ > 0) {
      budget_->give(owner_, std::exchange(bytes_, 0));
    }
  }

 private:
  BodyBudget* budget_;
  BodyOwner owner_;
  std::size_t bytes_ = 0;
};

}  // namespace aios::net::detail
