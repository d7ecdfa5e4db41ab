// SPDX-License-Identifier: Apache-2.0
#include "store/detail/delta.h"

#include <algorithm>

namespace aios::store::detail {
namespace {

constexpr std::uint64_t row_overhead_bytes = 256;  // indexes and pointers, roughly

std::string assigned_name(std::string_view tenant, const Fingerprint& subject) {
  return account_key(tenant, view(subject));
}

}  // namespace

std::size_t ReadGate::enter() {
  std::lock_guard lock(mutex_);
  ++inside_[current_];
  return current_;
}

void ReadGate::leave(std::size_t generation) {
  std::lock_guard lock(mutex_);
  if (--inside_[generation] == 0) {
    left_.notify_all();
  }
}

void ReadGate::drain() {
  std::unique_lock lock(mutex_);
  const std::size_t old = current_;
  // The other generation is empty: the drain before this one waited for it.
  current_ = 1 - current_;
  left_.wait(lock, [&] { return inside_[old] == 0; });
}

void Delta::apply(const std::vector<JournalRow>& rows) {
  std::unique_lock lock(mutex_);
  for (const JournalRow& row : rows) {
    add(row);
  }
}

void Delta::add(const JournalRow& row) {
  const Record& record = *row.record;
  for (std::size_t i = 0; i < record.streams.size(); ++i) {
    add_stream(row, i);
  }
  for (const RecordKey& key : record.keys) {
    keys_.insert_or_assign(key.fingerprint, Keyed{row.sequence, {key.request_digest, key.value}});
  }
  for (std::size_t i = 0; i < record.outbox.size(); ++i) {
    outbox_.emplace(outbox_id(row.sequence, i), Message{row.record, i});
  }
  for (const std::uint64_t id : record.outbox_done) {
    outbox_done_.insert_or_assign(id, row.sequence);
  }
  if (!record.leaves.empty()) {
    leaves_[record.tenant].push_back({row.sequence, row.first_leaf, row.record});
  }
  for (const Assignment& assignment : record.assignments) {
    Assigned& entry = assigned_[assigned_name(record.tenant, assignment.subject)];
    entry = {row.sequence, std::max(entry.key_id, assignment.key_id)};
  }
  rows_.push_back({row.sequence, row.time, row.first_leaf, row.record, {}, 0});
  bytes_ += row.body.size() + row_overhead_bytes;
  rows_.back().body_bytes = row.body.size() + row_overhead_bytes;
  last_ = row.sequence;
}

void Delta::add_stream(const JournalRow& row, std::size_t index) {
  const RecordStream& stream = row.record->streams[index];
  auto& writes = streams_[stream.key];
  if (!writes.empty()) {
    if (const auto& before = writes.back().stream().wake_at) {
      wakes_.erase({before->ns, stream.key});
    }
  }
  if (stream.wake_at) {
    wakes_.emplace(stream.wake_at->ns, stream.key);
  }
  writes.push_back({row.record, index, row.sequence, row.time});
}

std::vector<JournalRow> Delta::oldest(std::size_t rows_max, std::uint64_t bytes_max) const {
  std::shared_lock lock(mutex_);
  std::vector<JournalRow> out;
  std::uint64_t bytes = 0;
  for (const JournalRow& row : rows_) {
    if (out.size() >= rows_max || bytes >= bytes_max) {
      break;
    }
    bytes += row.body_bytes;
    out.push_back(row);
  }
  return out;
}

void Delta::drop(std::uint64_t through) {
  std::unique_lock lock(mutex_);
  while (!rows_.empty() && rows_.front().sequence <= through) {
    remove(rows_.front());
    bytes_ -= rows_.front().body_bytes;
    rows_.pop_front();
  }
  dropped_ = std::max(dropped_.load(), through);
}

void Delta::remove(const JournalRow& row) {
  const Record& record = *row.record;
  for (const RecordStream& stream : record.streams) {
    remove_stream(stream, row.sequence);
  }
  for (const RecordKey& key : record.keys) {
    auto found = keys_.find(key.fingerprint);
    if (found != keys_.end() && found->second.sequence <= row.sequence) {
      keys_.erase(found);
    }
  }
  for (std::size_t i = 0; i < record.outbox.size(); ++i) {
    outbox_.erase(outbox_id(row.sequence, i));
  }
  for (const std::uint64_t id : record.outbox_done) {
    auto found = outbox_done_.find(id);
    if (found != outbox_done_.end() && found->second <= row.sequence) {
      outbox_done_.erase(found);
    }
  }
  if (!record.leaves.empty()) {
    auto& waiting = leaves_[record.tenant];
    while (!waiting.empty() && waiting.front().sequence <= row.sequence) {
      waiting.pop_front();
    }
    if (waiting.empty()) {
      leaves_.erase(record.tenant);
    }
  }
  for (const Assignment& assignment : record.assignments) {
    auto found = assigned_.find(assigned_name(record.tenant, assignment.subject));
    if (found != assigned_.end() && found->second.sequence <= row.sequence) {
      assigned_.erase(found);
    }
  }
}

void Delta::remove_stream(const RecordStream& stream, std::uint64_t sequence) {
  auto found = streams_.find(stream.key);
  if (found == streams_.end()) {
    return;
  }
  auto& writes = found->second;
  const auto& wake = writes.back().stream().wake_at;
  const bool all = writes.back().sequence <= sequence;
  if (all && wake) {
    wakes_.erase({wake->ns, stream.key});
  }
  if (all) {
    streams_.erase(found);
    return;
  }
  std::erase_if(writes, [&](const DeltaWrite& write) { return write.sequence <= sequence; });
}

}  // namespace aios::store::detail
