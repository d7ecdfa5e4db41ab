// SPDX-License-Identifier: Apache-2.0
#include "store/detail/memory_disk.h"

#include "core/crypto.h"
#include "store/detail/memory_engine.h"

#include <algorithm>

namespace aios::store {

MemoryDisk::MemoryDisk() : impl_(std::make_unique<Impl>()) {}
MemoryDisk::~MemoryDisk() = default;

void MemoryDisk::crash() {
  std::lock_guard lock(impl_->mutex);
  ++impl_->generation;
  if (impl_->tables_volatile) {
    impl_->tables = impl_->durable_tables.value_or(detail::MemoryTables());
  }
  impl_->hold_syncs = false;
  impl_->released.notify_all();
}

void MemoryDisk::set_full(bool full) {
  std::lock_guard lock(impl_->mutex);
  impl_->full = full;
}

void MemoryDisk::break_next_sync() {
  std::lock_guard lock(impl_->mutex);
  impl_->break_sync = true;
}

void MemoryDisk::set_tables_damaged(bool on) {
  std::lock_guard lock(impl_->mutex);
  impl_->tables_damaged = on;
}

void MemoryDisk::set_tables_full(bool full) {
  std::lock_guard lock(impl_->mutex);
  impl_->tables_full = full;
}

void MemoryDisk::set_tables_volatile(bool on) {
  std::lock_guard lock(impl_->mutex);
  impl_->tables_volatile = on;
  impl_->durable_tables = impl_->tables;
}

void MemoryDisk::hold_syncs(bool hold) {
  std::lock_guard lock(impl_->mutex);
  impl_->hold_syncs = hold;
  impl_->released.notify_all();
}

std::uint32_t MemoryDisk::held() const {
  std::lock_guard lock(impl_->mutex);
  return impl_->held;
}

std::uint64_t MemoryDisk::journal_rows() const {
  std::lock_guard lock(impl_->mutex);
  return impl_->journal.size();
}

bool MemoryDisk::damage_journal(std::uint64_t sequence, std::size_t byte) {
  std::lock_guard lock(impl_->mutex);
  auto found = impl_->journal.find(sequence);
  if (found == impl_->journal.end() || byte >= found->second.body.size()) {
    return false;
  }
  found->second.body[byte] ^= 4;
  return true;
}

}  // namespace aios::store

namespace aios::store::detail {

std::string memory_root_key(MemoryDisk& disk) {
  std::lock_guard lock(disk.impl().mutex);
  if (disk.impl().root_key.empty()) {
    disk.impl().root_key = secure_random(32);
  }
  return disk.impl().root_key;
}

MemoryTables::Leavers MemoryTables::find_expired(const TableExpiry& expiry) const {
  Leavers out;
  std::uint32_t seen = 0;
  auto at = streams.upper_bound(stream_key(expiry.kind, expiry.tenant, expiry.after));
  const auto end = streams.lower_bound(stream_key(expiry.kind, expiry.tenant, expiry.below));
  for (; at != end && seen < expiry.limit; ++seen, ++at) {
    out.page.next = id_of(at->first);
    if (at->second.end == StreamEnd::closed && at->second.updated < expiry.before &&
        !is_awaited(expiry.kind, at->first)) {
      out.keys.push_back(at->first);
    }
  }
  if (seen < expiry.limit) {
    out.page.next.clear();
  }
  return out;
}

MemoryTables::Leavers MemoryTables::find_gone(const TableRemoval& removal) const {
  Leavers out;
  std::uint32_t seen = 0;
  const std::string low = stream_key(removal.kind, removal.tenant, "");
  auto at = streams.upper_bound(low + removal.after);
  for (; at != streams.end() && at->first.starts_with(low) && seen < removal.limit; ++seen, ++at) {
    out.page.next = id_of(at->first);
    if (at->second.end == StreamEnd::closed && removal.gone(at->second.state)) {
      out.keys.push_back(at->first);
    }
  }
  if (seen < removal.limit) {
    out.page.next.clear();
  }
  return out;
}

void MemoryTables::take_out(const std::string& key) {
  history.erase(key);
  streams.erase(key);
}

/// What belongs to a stream and is of no use without it, whether closed or not.
void MemoryTables::remove_belongings(StreamKind kind, const std::string& tenant,
                                     const std::string& id) {
  if (kind == StreamKind::event) {
    streams.erase(stream_key(StreamKind::kept_event, tenant, id));
  }
  if (kind != StreamKind::run) {
    return;
  }
  streams.erase(stream_key(StreamKind::turn, tenant, id));
  const std::string listeners = stream_key(StreamKind::listener, tenant, id + "-");
  const std::string attributes = stream_key(StreamKind::search_attribute, tenant, "");
  std::erase_if(streams, [&](const auto& one) {
    const bool own = one.first.starts_with(listeners) &&  // R-1-1 is of R-1, which may go on
                     one.first.find('-', listeners.size()) == std::string::npos;
    return own || (one.first.starts_with(attributes) && one.second.label == id);
  });
}

/// A run that another one waits for has that one's id and "-N": it is read when that one goes on.
bool MemoryTables::is_awaited(StreamKind kind, const std::string& key) const {
  const auto end = kind == StreamKind::run ? key.rfind('-') : std::string::npos;
  const auto found = end == std::string::npos ? streams.end() : streams.find(key.substr(0, end));
  return found != streams.end() && found->second.end == StreamEnd::open;
}

void MemoryTables::fold_stream(const FoldStream& stream, const PackHistory& pack) {
  TableStream& row = streams[stream.row.key];
  if (row.wake_at) {
    wakes.erase({row.wake_at->ns, stream.row.key});
  }
  std::string state = std::move(row.state);
  row = stream.row;
  if (!stream.has_state) {
    row.state = std::move(state);
  }
  if (row.wake_at) {
    wakes.emplace(row.wake_at->ns, row.key);
  }
  auto& chunks = history[row.key];
  if (!stream.events.empty()) {
    chunks.push_back(stream.events);
  }
  if (row.end == StreamEnd::closed && !chunks.empty()) {
    chunks = {pack(row.key, chunks)};
  }
}

void MemoryTables::fold(const Fold& fold, const PackHistory& pack) {
  for (const FoldStream& stream : fold.streams) {
    fold_stream(stream, pack);
  }
  for (const FoldKey& key : fold.keys) {
    keys[key.day].insert_or_assign(key.key.fingerprint,
                                   KeptKey{key.key.request_digest, key.key.value});
  }
  keys.erase(keys.begin(), keys.lower_bound(fold.day - key_days));
  for (const auto& [account, amount] : fold.budgets) {
    budgets[account] += amount;
  }
  for (const FoldMessage& message : fold.outbox) {
    outbox.emplace(message.id, message);
  }
  for (const std::uint64_t id : fold.outbox_done) {
    outbox.erase(id);
  }
  for (const FoldLeaf& leaf : fold.leaves) {
    auto& log = leaves[leaf.tenant];
    AIOS_ASSERT(log.size() == leaf.index);
    log.push_back(leaf.bytes);
  }
  for (const FoldAssignment& entry : fold.assignments) {
    const std::string name = account_key(entry.tenant, view(entry.assignment.subject));
    std::uint64_t& key_id = assigned[name];
    key_id = std::max(key_id, entry.assignment.key_id);
  }
  cursor = fold.through;
}

}  // namespace aios::store::detail
