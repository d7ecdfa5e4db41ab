// SPDX-License-Identifier: Apache-2.0
#pragma once
// detail/memory_disk: what a MemoryDisk holds.

#include "store/detail/engine.h"
#include "store/memory.h"

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

namespace aios::store::detail {

struct MemoryTables {
  std::uint64_t cursor = 0;
  std::map<std::string, TableStream> streams;
  std::map<std::string, std::vector<std::string>> history;
  std::set<std::pair<std::int64_t, std::string>> wakes;
  std::map<std::int64_t, std::unordered_map<Fingerprint, KeptKey, FingerprintHash>> keys;  // by day
  std::unordered_map<std::string, std::int64_t> budgets;
  std::map<std::uint64_t, FoldMessage> outbox;
  std::map<std::string, std::vector<std::string>> leaves;
  std::unordered_map<std::string, std::uint64_t> assigned;

  void fold(const Fold& fold, const PackHistory& pack);
  void fold_stream(const FoldStream& stream, const PackHistory& pack);
  /// Streams that are looked at together, and the keys of those that go.
  struct Leavers {
    std::vector<std::string> keys;
    Expired page;
  };
  Leavers find_expired(const TableExpiry& expiry) const;
  Leavers find_gone(const TableRemoval& removal) const;
  void take_out(const std::string& key);
  void remove_belongings(StreamKind kind, const std::string& tenant, const std::string& id);
  bool is_awaited(StreamKind kind, const std::string& key) const;
};

}  // namespace aios::store::detail

namespace aios::store {

struct MemoryDisk::Impl {
  mutable std::mutex mutex;
  std::condition_variable released;
  std::mutex keys_mutex;  // the keystore is asked for keys while tables are folded
  std::atomic<std::uint64_t> generation{0};
  bool full = false;
  bool break_sync = false;
  bool hold_syncs = false;
  std::uint32_t held = 0;
  bool tables_volatile = false;
  bool tables_damaged = false;
  bool tables_full = false;
  /// For tests: called once, between the looking for streams that are to go and their taking away.
  std::function<void()> before_claim;
  std::uint64_t epoch = 0;
  std::uint64_t last_sequence = 0;
  std::map<std::uint64_t, detail::JournalRow> journal;
  detail::MemoryTables tables;
  std::optional<detail::MemoryTables> durable_tables;
  detail::KeyStoreImage keys;
  std::string root_key;
  std::map<std::string, std::string> files;
};

}  // namespace aios::store
