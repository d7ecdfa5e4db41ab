// SPDX-License-Identifier: Apache-2.0
#pragma once
// detail/record: a transition as the journal keeps it: payloads sealed, keys as fingerprints,
// streams under one compound key. Versioned: a record of a newer version is refused, an older one
// is read for good.

#include "core/result.h"
#include "core/time.h"
#include "store/transition.h"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aios::store::detail {

using Fingerprint = std::array<unsigned char, 16>;
inline std::string_view view(const Fingerprint& f) {
  return {reinterpret_cast<const char*>(f.data()), f.size()};
}
struct FingerprintHash {
  std::size_t operator()(const Fingerprint& f) const;
};

/// kind byte, tenant, NUL, id: sorts by kind, tenant, id, as every list wants it.
std::string stream_key(StreamKind kind, std::string_view tenant, std::string_view id);
StreamKind kind_of(std::string_view stream_key);
std::string_view tenant_of(std::string_view stream_key);
std::string_view id_of(std::string_view stream_key);
/// tenant, NUL, account.
std::string account_key(std::string_view tenant, std::string_view account);

struct RecordEvent {
  std::uint16_t type = 0;
  Time time;
  std::string sealed;
};

struct RecordStream {
  std::string key;  ///< stream_key()
  std::uint64_t expected_version = 0;
  std::vector<RecordEvent> history;
  std::optional<std::string> state;  ///< sealed; an empty text is an empty state
  std::string status;
  std::string label;
  std::optional<Time> wake_at;
  StreamEnd end = StreamEnd::open;
};

struct RecordKey {
  Fingerprint fingerprint{};
  std::string request_digest;  ///< as Keyring::keep_digest() makes it
  std::string value;
};

/// What is kept of a claimed key.
struct KeptKey {
  std::string request_digest;
  std::string value;
};

struct RecordMessage {
  std::string topic;
  std::string ordering_key;
  std::string sealed;
};

/// From here on the subject's payloads are sealed with that key. Of two, the greater id is the
/// later one; a key that was destroyed is as good as none.
struct Assignment {
  Fingerprint subject{};
  std::uint64_t key_id = 0;
};

struct Record {
  std::string tenant;
  std::uint64_t epoch = 0;
  std::vector<RecordStream> streams;
  std::vector<RecordKey> keys;
  std::vector<BudgetMove> budgets;
  std::vector<RecordMessage> outbox;
  std::vector<std::uint64_t> outbox_done;
  std::vector<AuditLeaf> leaves;
  std::vector<Assignment> assignments;
};

std::string encode(const Record& record);
/// data_loss when the bytes are not a record.
Result<Record> decode(std::string_view bytes);

/// What the sequencer adds. Outbox ids follow from the sequence, so they need no counter.
struct JournalRow {
  std::uint64_t sequence = 0;
  Time time;
  std::uint64_t first_leaf = 0;
  std::shared_ptr<const Record> record;
  /// encode(*record) and, once the row has its place, its checksum; the delta keeps only its size.
  std::string body;
  std::uint64_t body_bytes = 0;
};

/// Ends the body with the first 8 bytes of the SHA-256 of sequence, time, first leaf and record.
void add_checksum(JournalRow& row);
/// data_loss [AIOS-0426], naming the sequence and `file`, when anything in the row is not what was
/// written. Every engine asks it of each row that it reads back.
Result<void> check_row(const JournalRow& row, std::string_view file);
/// The record of a row that checks; data_loss when this build does not read it.
Result<Record> record_of(const JournalRow& row);

constexpr std::uint32_t outbox_messages_max = 256;  ///< a transition
inline std::uint64_t outbox_id(std::uint64_t sequence, std::uint64_t index) {
  return sequence * outbox_messages_max + index;
}

}  // namespace aios::store::detail
