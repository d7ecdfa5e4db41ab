// SPDX-License-Identifier: Apache-2.0
#include "store/detail/record.h"

#include "core/codec.h"
#include "core/crypto.h"

#include <fmt/format.h>

#include <cstring>

namespace aios::store::detail {
namespace {

constexpr std::uint8_t record_version = 1;
constexpr std::uint64_t items_max = 4096;  // of one kind in one record; more is damage
constexpr std::size_t checksum_bytes = 8;

enum StreamFlag : std::uint8_t { has_state = 1, has_wake = 2, is_closed = 4 };

Fingerprint to_fingerprint(std::string_view bytes) {
  Fingerprint out{};
  if (bytes.size() == out.size()) {
    std::memcpy(out.data(), bytes.data(), out.size());
  }
  return out;
}

void write_stream(Writer& out, const RecordStream& stream) {
  std::uint8_t flags = 0;
  flags |= stream.state ? has_state : 0;
  flags |= stream.wake_at ? has_wake : 0;
  flags |= stream.end == StreamEnd::closed ? is_closed : 0;
  out.u8(flags);
  out.u8(static_cast<std::uint8_t>(kind_of(stream.key)));
  out.bytes(id_of(stream.key));
  out.varint(stream.expected_version);
  out.bytes(stream.status);
  out.bytes(stream.label);
  if (stream.state) {
    out.bytes(*stream.state);
  }
  if (stream.wake_at) {
    out.zigzag(stream.wake_at->ns);
  }
  out.varint(stream.history.size());
  for (const RecordEvent& event : stream.history) {
    out.varint(event.type);
    out.zigzag(event.time.ns);
    out.bytes(event.sealed);
  }
}

/// Reads a count; a record that claims more than it can hold is damaged.
std::uint64_t read_count(Reader& in) {
  const std::uint64_t count = in.varint();
  while (count > items_max && in.ok()) {
    in.u8();  // to the end and beyond: what follows has no meaning
  }
  return in.ok() ? count : 0;
}

RecordStream read_stream(Reader& in, std::string_view tenant) {
  RecordStream stream;
  const std::uint8_t flags = in.u8();
  const auto kind = static_cast<StreamKind>(in.u8());
  stream.key = stream_key(kind, tenant, in.bytes());
  stream.expected_version = in.varint();
  stream.status = in.bytes();
  stream.label = in.bytes();
  if ((flags & has_state) != 0) {
    stream.state = std::string(in.bytes());
  }
  if ((flags & has_wake) != 0) {
    stream.wake_at = Time{in.zigzag()};
  }
  stream.end = (flags & is_closed) != 0 ? StreamEnd::closed : StreamEnd::open;
  const std::uint64_t events = read_count(in);
  for (std::uint64_t i = 0; i < events && in.ok(); ++i) {
    RecordEvent event;
    event.type = static_cast<std::uint16_t>(in.varint());
    event.time.ns = in.zigzag();
    event.sealed = in.bytes();
    stream.history.push_back(std::move(event));
  }
  return stream;
}

void write_rest(Writer& out, const Record& record) {
  out.varint(record.outbox.size());
  for (const RecordMessage& message : record.outbox) {
    out.bytes(message.topic);
    out.bytes(message.ordering_key);
    out.bytes(message.sealed);
  }
  out.varint(record.outbox_done.size());
  for (const std::uint64_t id : record.outbox_done) {
    out.varint(id);
  }
  out.varint(record.leaves.size());
  for (const AuditLeaf& leaf : record.leaves) {
    out.bytes(leaf.bytes);
  }
  out.varint(record.assignments.size());
  for (const Assignment& assignment : record.assignments) {
    out.bytes(view(assignment.subject));
    out.varint(assignment.key_id);
  }
}

void read_rest(Reader& in, Record& record) {
  for (std::uint64_t n = read_count(in); n > 0 && in.ok(); --n) {
    RecordMessage message;
    message.topic = in.bytes();
    message.ordering_key = in.bytes();
    message.sealed = in.bytes();
    record.outbox.push_back(std::move(message));
  }
  for (std::uint64_t n = read_count(in); n > 0 && in.ok(); --n) {
    record.outbox_done.push_back(in.varint());
  }
  for (std::uint64_t n = read_count(in); n > 0 && in.ok(); --n) {
    record.leaves.push_back({std::string(in.bytes())});
  }
  for (std::uint64_t n = read_count(in); n > 0 && in.ok(); --n) {
    Assignment assignment;
    assignment.subject = to_fingerprint(in.bytes());
    assignment.key_id = in.varint();
    record.assignments.push_back(assignment);
  }
}

void read_keys_and_budgets(Reader& in, Record& record) {
  for (std::uint64_t n = read_count(in); n > 0 && in.ok(); --n) {
    RecordKey key;
    key.fingerprint = to_fingerprint(in.bytes());
    key.request_digest = in.bytes();
    key.value = in.bytes();
    record.keys.push_back(std::move(key));
  }
  for (std::uint64_t n = read_count(in); n > 0 && in.ok(); --n) {
    BudgetMove move;
    move.account = in.bytes();
    move.amount_nano = in.zigzag();
    record.budgets.push_back(std::move(move));
  }
}

using Checksum = std::array<char, checksum_bytes>;
std::string_view view(const Checksum& sum) { return {sum.data(), sum.size()}; }

Checksum checksum(const JournalRow& row, std::string_view record) {
  std::array<char, 3 * sizeof(std::uint64_t)> place{};
  std::size_t at = 0;
  for (const std::uint64_t number :
       {row.sequence, static_cast<std::uint64_t>(row.time.ns), row.first_leaf}) {
    for (std::size_t i = 0; i < sizeof(number); ++i) {
      place[at++] = static_cast<char>(number >> (8 * i) & 0xff);
    }
  }
  const Digest digest = sha256({place.data(), place.size()}, record);
  Checksum out{};
  std::memcpy(out.data(), digest.data(), out.size());
  return out;
}

}  // namespace

std::size_t FingerprintHash::operator()(const Fingerprint& f) const {
  std::size_t out = 0;  // a fingerprint is a keyed hash already
  std::memcpy(&out, f.data(), sizeof(out));
  return out;
}

std::string stream_key(StreamKind kind, std::string_view tenant, std::string_view id) {
  std::string out;
  out.reserve(tenant.size() + id.size() + 2);
  out.push_back(static_cast<char>(kind));
  out.append(tenant).push_back('\0');
  return out.append(id);
}

StreamKind kind_of(std::string_view stream_key) {
  return static_cast<StreamKind>(static_cast<unsigned char>(stream_key.at(0)));
}

std::string_view tenant_of(std::string_view stream_key) {
  return stream_key.substr(1, stream_key.find('\0', 1) - 1);
}

std::string_view id_of(std::string_view stream_key) {
  return stream_key.substr(stream_key.find('\0', 1) + 1);
}

std::string account_key(std::string_view tenant, std::string_view account) {
  std::string out(tenant);
  out.push_back('\0');
  return out.append(account);
}

std::string encode(const Record& record) {
  Writer out;
  out.u8(record_version);
  out.bytes(record.tenant);
  out.varint(record.epoch);
  out.varint(record.streams.size());
  for (const RecordStream& stream : record.streams) {
    write_stream(out, stream);
  }
  out.varint(record.keys.size());
  for (const RecordKey& key : record.keys) {
    out.bytes(view(key.fingerprint));
    out.bytes(key.request_digest);
    out.bytes(key.value);
  }
  out.varint(record.budgets.size());
  for (const BudgetMove& move : record.budgets) {
    out.bytes(move.account);
    out.zigzag(move.amount_nano);
  }
  write_rest(out, record);
  return out.take();
}

Result<Record> decode(std::string_view bytes) {
  Reader in(bytes);
  const std::uint8_t version = in.u8();
  if (version != record_version) {
    return Error(Code::data_loss,
                 fmt::format("journal record of version {}, this build reads version {}", version,
                             record_version))
        .page(410);
  }
  Record record;
  record.tenant = in.bytes();
  record.epoch = in.varint();
  for (std::uint64_t n = read_count(in); n > 0 && in.ok(); --n) {
    record.streams.push_back(read_stream(in, record.tenant));
  }
  read_keys_and_budgets(in, record);
  read_rest(in, record);
  const bool named = record.tenant.find('\0') == std::string::npos;  // NUL ends it in every key
  if (!in.ok() || !in.at_end() || !named) {
    return Error(Code::data_loss,
                 fmt::format("journal record of {} bytes does not read to its end", bytes.size()))
        .page(410);
  }
  return record;
}

void add_checksum(JournalRow& row) { row.body.append(view(checksum(row, row.body))); }

Result<void> check_row(const JournalRow& row, std::string_view file) {
  const std::string_view body = row.body;
  if (body.size() > checksum_bytes) {
    const std::size_t record_bytes = body.size() - checksum_bytes;
    if (view(checksum(row, body.substr(0, record_bytes))) == body.substr(record_bytes)) {
      return {};
    }
  }
  return Error(Code::data_loss,
               fmt::format("journal row {} of '{}' is damaged: its {} bytes do not fit their "
                           "checksum",
                           row.sequence, file, body.size()))
      .page(426);
}

Result<Record> record_of(const JournalRow& row) {
  auto record = decode(std::string_view(row.body).substr(0, row.body.size() - checksum_bytes));
  return record.ok() ? std::move(record)
                     : Result<Record>(std::move(record).error().with(
                           fmt::format("reading journal row {}", row.sequence)));
}

}  // namespace aios::store::detail
