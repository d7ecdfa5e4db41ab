// SPDX-License-Identifier: Apache-2.0
#pragma once
// detail/leaving: the order between the writer and whoever takes closed streams out of the tables.
// A stream goes only while no accepted write of it is on its way, and is not written before it is
// gone: either the write comes first and the stream stays, or the removal does and the write meets
// a stream that is not there.
// Threading: one writer, one who removes, each on a thread of its own or both on the same.

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <unordered_set>
#include <vector>

namespace aios::store::detail {

class Leaving {
 public:
  Leaving() = default;
  Leaving(const Leaving&) = delete;
  Leaving& operator=(const Leaving&) = delete;

  /// The writer has a batch in hand: from before its preconditions are looked at until the delta
  /// shows it. Waits for a removal of one of its streams.
  class Batch {
   public:
    using AnyOf = std::function<bool(const std::unordered_set<std::string>& keys)>;
    /// @param writes_any  whether the batch writes one of the keys; asked only when some leave
    Batch(Leaving& leaving, const AnyOf& writes_any);
    ~Batch();
    Batch(const Batch&) = delete;
    Batch& operator=(const Batch&) = delete;

   private:
    Leaving& leaving_;
  };

  /// Streams that leave for as long as this lives.
  class Claim {
   public:
    explicit Claim(Leaving& leaving) : leaving_(leaving) {}
    ~Claim();
    Claim(const Claim&) = delete;
    Claim& operator=(const Claim&) = delete;
    /// Waits for the batch in hand. @return of each key whether it may go: not one that `written`
    /// names then
    std::vector<bool> of(const std::vector<std::string>& keys,
                         const std::function<bool(const std::string& key)>& written);

   private:
    Leaving& leaving_;
  };

  /// How many removals have ended: what the tables said of a version is worth nothing after one.
  std::uint64_t ended() const { return ended_.load(std::memory_order_acquire); }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::unordered_set<std::string> keys_;
  bool in_hand_ = false;
  std::uint64_t batches_ = 0;
  std::atomic<std::uint64_t> ended_{0};
};

}  // namespace aios::store::detail
