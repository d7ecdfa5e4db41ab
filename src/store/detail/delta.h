// SPDX-License-Identifier: Apache-2.0
#pragma once
// detail/delta: all that is durable in the journal and not yet folded into the tables, indexed for
// the sequencer's preconditions and for reads. A reader enters the gate, reads tables and delta in
// any order, and takes of each stream the newer version: nothing leaves the delta while a reader is
// inside who may have seen older tables.
// Threading: any; one writer (the sequencer) applies, one (folding) drops.

#include "store/detail/engine.h"

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <shared_mutex>
#include <string>
#include <unordered_map>
#include <vector>

namespace aios::store::detail {

/// Readers of two generations; drain() waits for those who entered before it.
class ReadGate {
 public:
  class Pass {
   public:
    explicit Pass(ReadGate& gate) : gate_(gate), generation_(gate.enter()) {}
    ~Pass() { gate_.leave(generation_); }
    Pass(const Pass&) = delete;
    Pass& operator=(const Pass&) = delete;

   private:
    ReadGate& gate_;
    std::size_t generation_;
  };
  void drain();

 private:
  std::size_t enter();
  void leave(std::size_t generation);
  std::mutex mutex_;
  std::condition_variable left_;
  std::array<std::uint64_t, 2> inside_{};
  std::size_t current_ = 0;
};

/// One stream write inside a record of the journal.
struct DeltaWrite {
  std::shared_ptr<const Record> record;
  std::size_t index = 0;
  std::uint64_t sequence = 0;
  Time time;
  const RecordStream& stream() const { return record->streams[index]; }
  std::uint64_t version() const { return stream().expected_version + 1; }
};

/// The last write of a stream, and the last one that carried a state (record is null: none did).
struct DeltaStream {
  DeltaWrite last;
  DeltaWrite state;
};

struct DeltaLeaf {
  std::uint64_t index = 0;
  std::string bytes;
};

class Delta {
 public:
  /// @param last  what the journal held when the store was opened; the tables hold all of it.
  explicit Delta(std::uint64_t last) : last_(last), dropped_(last) {}
  /// Makes rows visible, in order.
  void apply(const std::vector<JournalRow>& rows);
  /// The oldest rows, for folding.
  std::vector<JournalRow> oldest(std::size_t rows_max, std::uint64_t bytes_max) const;
  /// Forgets everything up to `through`: the tables have it and no reader needs it.
  void drop(std::uint64_t through);

  std::uint64_t bytes() const { return bytes_.load(std::memory_order_relaxed); }
  std::uint64_t last_sequence() const { return last_.load(std::memory_order_acquire); }
  std::uint64_t dropped() const {
    return dropped_.load(std::memory_order_acquire);
  }  ///< all up to here has left

  std::optional<std::uint64_t> version(const std::string& key) const;
  std::optional<DeltaStream> stream(const std::string& key) const;
  std::vector<DeltaWrite> writes(const std::string& key) const;
  /// Streams with after < key < before, in key order (last first when newest_first), at most
  /// `limit`.
  std::vector<std::pair<std::string, DeltaStream>> range(const std::string& after,
                                                         const std::string& before,
                                                         std::size_t limit,
                                                         bool newest_first) const;
  std::vector<TableWake> due(Time until, std::size_t limit) const;  ///< earliest first
  std::optional<KeptKey> key(const Fingerprint& fingerprint) const;
  std::vector<FoldMessage> outbox(std::uint64_t after, std::size_t limit) const;
  bool outbox_done(std::uint64_t id) const;
  std::vector<DeltaLeaf> leaves(const std::string& tenant, std::uint64_t from,
                                std::size_t limit) const;
  std::optional<std::uint64_t> leaf_end(
      const std::string& tenant) const;  ///< index after the last one
  std::vector<std::string> tenants_with_leaves() const;
  std::optional<std::uint64_t> assigned_key(const std::string& tenant,
                                            const Fingerprint& subject) const;

 private:
  struct Leaves {
    std::uint64_t sequence = 0;
    std::uint64_t first = 0;
    std::shared_ptr<const Record> record;
  };
  struct Keyed {
    std::uint64_t sequence = 0;
    KeptKey record;
  };
  struct Message {
    std::shared_ptr<const Record> record;
    std::size_t index = 0;
  };
  struct Assigned {
    std::uint64_t sequence = 0;
    std::uint64_t key_id = 0;
  };
  void add(const JournalRow& row);
  void remove(const JournalRow& row);
  void add_stream(const JournalRow& row, std::size_t index);
  void remove_stream(const RecordStream& stream, std::uint64_t sequence);
  static DeltaStream summary(const std::vector<DeltaWrite>& writes);

  mutable std::shared_mutex mutex_;
  std::deque<JournalRow> rows_;
  std::atomic<std::uint64_t> bytes_{0};
  std::atomic<std::uint64_t> last_{0};
  std::atomic<std::uint64_t> dropped_{0};
  std::map<std::string, std::vector<DeltaWrite>> streams_;
  std::set<std::pair<std::int64_t, std::string>> wakes_;
  std::unordered_map<Fingerprint, Keyed, FingerprintHash> keys_;
  std::map<std::uint64_t, Message> outbox_;
  std::unordered_map<std::uint64_t, std::uint64_t> outbox_done_;  // id -> sequence
  std::map<std::string, std::deque<Leaves>> leaves_;
  std::unordered_map<std::string, Assigned> assigned_;
};

}  // namespace aios::store::detail
