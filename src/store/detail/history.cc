// SPDX-License-Identifier: Apache-2.0
#include "store/detail/history.h"

#include "core/codec.h"

#include <fmt/format.h>

namespace aios::store::detail {
namespace {

// A chunk is a row of parts: 0 and one event sealed by itself, or 1 and a block of events sealed
// together.
enum Part : std::uint8_t { single = 0, block = 1 };
constexpr std::uint64_t block_events_max = 1'000'000;
constexpr std::size_t block_from_bytes =
    512;  // sealed bytes below which compressing them again does not pay

struct SingleEvent {
  std::uint64_t version = 0;
  std::uint16_t type = 0;
  Time time;
  std::string_view sealed;
};

SingleEvent read_single(Reader& in) {
  SingleEvent event;
  event.version = in.varint();
  event.type = static_cast<std::uint16_t>(in.varint());
  event.time.ns = in.zigzag();
  event.sealed = in.bytes();
  return event;
}

void write_single(Writer& out, const SingleEvent& event) {
  out.u8(single);
  out.varint(event.version);
  out.varint(event.type);
  out.zigzag(event.time.ns);
  out.bytes(event.sealed);
}

Error damaged() {
  return Error(Code::data_loss, "a history chunk does not read to its end").page(410);
}

Result<void> read_block(Sealer& sealer, const std::string& key, Reader& in,
                        std::vector<HistoryRow>* rows) {
  const std::uint64_t count = in.varint();
  if (!in.ok() || count > block_events_max) {
    return damaged();
  }
  const std::size_t first = rows->size();
  std::vector<std::uint64_t> sizes;
  for (std::uint64_t i = 0; i < count && in.ok(); ++i) {
    HistoryRow row;
    row.version = in.varint();
    row.type = static_cast<std::uint16_t>(in.varint());
    row.time.ns = in.zigzag();
    sizes.push_back(in.varint());
    rows->push_back(std::move(row));
  }
  auto opened = sealer.open(Use::closed_history, key, in.bytes());
  if (!in.ok()) {
    return damaged();
  }
  if (!opened.ok()) {
    return std::move(opened).error();
  }
  std::string_view rest = opened->bytes;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    HistoryRow& row = (*rows)[first + i];
    row.erased = opened->erased;
    if (row.erased) {
      continue;
    }
    if (sizes[i] > rest.size()) {
      return damaged();
    }
    row.data = rest.substr(0, sizes[i]);
    rest.remove_prefix(sizes[i]);
  }
  return {};
}

/// The present key of everything in the chunks when it is one and still there; else nothing.
std::optional<Keyring::Grant> single_key(Sealer& sealer, const std::vector<std::string>& chunks) {
  Keyring::Grant grant;
  std::size_t bytes = 0;
  for (const std::string& chunk : chunks) {
    Reader in(chunk);
    while (in.ok() && !in.at_end()) {
      if (in.u8() != single) {
        return std::nullopt;
      }
      const SingleEvent event = read_single(in);
      const std::uint64_t id = Sealer::key_id(event.sealed);
      bytes += event.sealed.size();
      if (event.sealed.empty()) {
        continue;
      }
      if (id == 0 || (grant.key_id != 0 && grant.key_id != id)) {
        return std::nullopt;
      }
      grant.key_id = id;
    }
  }
  if (grant.key_id == 0 || bytes < block_from_bytes) {
    return std::nullopt;
  }
  auto key = sealer.keyring().key(grant.key_id);
  if (!key.ok() || !*key) {
    return std::nullopt;
  }
  grant.key = **key;
  return grant;
}

std::string joined(const std::vector<std::string>& chunks) {
  std::string out;
  for (const std::string& chunk : chunks) {
    out.append(chunk);
  }
  return out;
}

}  // namespace

void ChunkWriter::add(std::uint64_t version, const RecordEvent& event) {
  Writer out;
  write_single(out, {version, event.type, event.time, event.sealed});
  out_.append(out.data());
}

std::string ChunkWriter::take() { return std::move(out_); }

Result<void> read_chunk(Sealer& sealer, const std::string& key, std::string_view chunk,
                        std::vector<HistoryRow>* rows) {
  Reader in(chunk);
  while (in.ok() && !in.at_end()) {
    const std::uint8_t part = in.u8();
    if (part == block) {
      if (auto read = read_block(sealer, key, in, rows); !read.ok()) {
        return read;
      }
      continue;
    }
    const SingleEvent event = read_single(in);
    if (part != single || !in.ok()) {
      return damaged();
    }
    auto opened = sealer.open(Use::event, key, event.sealed);
    if (!opened.ok()) {
      return std::move(opened).error();
    }
    rows->push_back(
        {event.version, event.type, event.time, std::move(opened->bytes), opened->erased});
  }
  return in.ok() ? Result<void>() : damaged();
}

std::string pack_closed(Sealer& sealer, const std::string& key,
                        const std::vector<std::string>& chunks) {
  auto grant = single_key(sealer, chunks);
  std::vector<HistoryRow> rows;
  for (const std::string& chunk : chunks) {
    if (!grant || !read_chunk(sealer, key, chunk, &rows).ok()) {
      return joined(chunks);
    }
  }
  Writer out;
  out.u8(block);
  out.varint(rows.size());
  std::string clear;
  for (const HistoryRow& row : rows) {
    if (row.erased) {
      return joined(chunks);
    }
    out.varint(row.version);
    out.varint(row.type);
    out.zigzag(row.time.ns);
    out.varint(row.data.size());
    clear.append(row.data);
  }
  out.bytes(sealer.seal(*grant, Use::closed_history, key, clear));
  return out.take();
}

}  // namespace aios::store::detail
