// SPDX-License-Identifier: Apache-2.0
// Reads of single things: the tables first, the delta second (it is the newer of the two), all
// inside the gate.
#include "store/detail/history.h"
#include "store/detail/store_impl.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace aios::store::detail {
namespace {

Error no_stream(StreamKind kind, std::string_view id) {
  return Error(Code::not_found, fmt::format("no {} '{}'", name_of(kind), id)).page(412);
}

}  // namespace

std::optional<Error> StoreImpl::refuse(const Context& ctx) const {
  if (closed_.load(std::memory_order_relaxed)) {
    return Error(Code::unavailable, "the store is closed").page(407);
  }
  if (ctx.cancelled()) {
    return Error(Code::cancelled, "cancelled");
  }
  return std::nullopt;
}

Result<StreamRow> StoreImpl::to_row(const TableStream& row, bool with_state) {
  StreamRow out;
  out.kind = kind_of(row.key);
  out.id = id_of(row.key);
  out.version = row.version;
  out.status = row.status;
  out.label = row.label;
  out.wake_at = row.wake_at;
  out.end = row.end;
  out.updated = row.updated;
  if (with_state) {
    auto opened = sealer_.open(Use::state, row.key, row.state);
    if (!opened.ok()) {
      return std::move(opened).error().with(
          fmt::format("reading {} '{}'", name_of(out.kind), out.id));
    }
    out.state = std::move(opened->bytes);
    out.erased = opened->erased;
  }
  return out;
}

// The tables may have the state that the delta lacks; when they are newer by now, all of their row
// counts.
Result<StreamRow> StoreImpl::to_row(const DeltaStream& row, bool with_state) {
  const RecordStream& last = row.last.stream();
  TableStream merged{last.key,     row.last.version(), last.status,   last.label,
                     last.wake_at, last.end,           row.last.time, {}};
  if (with_state && row.state.record) {
    merged.state = *row.state.stream().state;
  } else if (with_state) {
    auto base = engine_->stream(last.key);
    if (!base.ok()) {
      return std::move(base).error();
    }
    if (*base && (*base)->version > merged.version) {
      return to_row(**base, with_state);
    }
    if (*base) {
      merged.state = std::move((*base)->state);
    }
  }
  return to_row(merged, with_state);
}

Result<StreamRow> StoreImpl::read_stream(const TenantId& tenant, StreamKind kind,
                                         const std::string& id) {
  ReadGate::Pass pass(gate_);
  const std::string key = stream_key(kind, tenant.text(), id);
  if (auto newest = delta_.stream(key)) {
    return to_row(*newest, true);
  }
  // Not in the delta a moment ago: then the tables have it, or a commit is younger than this call.
  auto row = engine_->stream(key);
  if (!row.ok()) {
    return std::move(row).error();
  }
  if (!*row) {
    return no_stream(kind, id);
  }
  return to_row(**row, true);
}

Task<Result<StreamRow>> StoreImpl::stream(Context ctx, StreamKind kind, std::string id) {
  if (auto refused = refuse(ctx)) {
    co_return *std::move(refused);
  }
  co_return read_stream(ctx.tenant, kind, id);
}

Result<std::vector<HistoryRow>> StoreImpl::read_history(const std::string& key) {
  ReadGate::Pass pass(gate_);
  auto stored = engine_->history(key);
  if (!stored.ok()) {
    return std::move(stored).error();
  }
  const auto writes = delta_.writes(key);
  if (stored->version == 0 && writes.empty()) {
    return no_stream(kind_of(key), id_of(key));
  }
  std::vector<HistoryRow> rows;
  for (const std::string& chunk : stored->chunks) {
    if (auto read = read_chunk(sealer_, key, chunk, &rows); !read.ok()) {
      return std::move(read).error();
    }
  }
  for (const DeltaWrite& write : writes) {
    if (write.version() <= stored->version) {
      continue;
    }
    for (const RecordEvent& event : write.stream().history) {
      auto opened = sealer_.open(Use::event, key, event.sealed);
      if (!opened.ok()) {
        return std::move(opened).error();
      }
      rows.push_back(
          {write.version(), event.type, event.time, std::move(opened->bytes), opened->erased});
    }
  }
  return rows;
}

Task<Result<std::vector<HistoryRow>>> StoreImpl::history(Context ctx, StreamKind kind,
                                                         std::string id) {
  if (auto refused = refuse(ctx)) {
    co_return *std::move(refused);
  }
  co_return read_history(stream_key(kind, ctx.tenant.text(), id));
}

Result<std::optional<KeyRecord>> StoreImpl::read_key(const std::string& tenant,
                                                     const KeyClaim& claim) {
  auto fingerprint = keyring_->fingerprint(tenant, claim.space, claim.key);
  if (!fingerprint.ok()) {
    return std::move(fingerprint).error();
  }
  ReadGate::Pass pass(gate_);
  auto kept = delta_.key(*fingerprint);
  if (!kept) {
    auto stored = engine_->key(*fingerprint);
    if (!stored.ok()) {
      return std::move(stored).error();
    }
    kept = *std::move(stored);
  }
  if (!kept) {
    return std::optional<KeyRecord>();
  }
  auto same =
      keyring_->same_digest(tenant, *fingerprint, claim.request_digest, kept->request_digest);
  if (!same.ok()) {
    return std::move(same).error();
  }
  return std::optional(KeyRecord{*same, std::move(kept->value)});
}

Task<Result<std::optional<KeyRecord>>> StoreImpl::key(Context ctx, KeyClaim claim) {
  if (auto refused = refuse(ctx)) {
    co_return *std::move(refused);
  }
  co_return read_key(ctx.tenant.text(), claim);
}

Task<Result<std::int64_t>> StoreImpl::budget(Context ctx, std::string account) {
  if (auto refused = refuse(ctx)) {
    co_return *std::move(refused);
  }
  co_return sequencer_.budget(account_key(ctx.tenant.text(), account));
}

Task<Result<std::vector<std::string>>> StoreImpl::leaves(Context ctx, std::uint64_t from,
                                                         std::uint32_t limit) {
  if (auto refused = refuse(ctx)) {
    co_return *std::move(refused);
  }
  ReadGate::Pass pass(gate_);
  auto out = engine_->leaves(ctx.tenant.text(), from, limit);
  if (!out.ok() || out->size() >= limit) {
    co_return out;
  }
  for (DeltaLeaf& leaf :
       delta_.leaves(ctx.tenant.text(), from + out->size(), limit - out->size())) {
    if (leaf.index != from + out->size()) {
      break;  // the tables ended below `from`: there is nothing at `from` yet
    }
    out->push_back(std::move(leaf.bytes));
  }
  co_return out;
}

Task<Result<std::uint64_t>> StoreImpl::leaf_count(Context ctx) {
  if (auto refused = refuse(ctx)) {
    co_return *std::move(refused);
  }
  ReadGate::Pass pass(gate_);
  auto stored = engine_->leaf_count(ctx.tenant.text());
  if (!stored.ok()) {
    co_return stored;
  }
  co_return std::max(*stored, delta_.leaf_end(ctx.tenant.text()).value_or(0));
}

Task<Result<std::vector<TenantId>>> StoreImpl::tenants_with_leaves(Context ctx) {
  if (auto refused = refuse(ctx)) {
    co_return *std::move(refused);
  }
  ReadGate::Pass pass(gate_);
  auto stored = engine_->tenants_with_leaves();
  if (!stored.ok()) {
    co_return std::move(stored).error();
  }
  const auto recent = delta_.tenants_with_leaves();
  std::set<std::string> names(stored->begin(), stored->end());
  names.insert(recent.begin(), recent.end());
  std::vector<TenantId> out;
  for (const std::string& name : names) {
    auto tenant = TenantId::parse(name);
    if (!tenant.ok()) {
      co_return std::move(tenant).error();
    }
    out.push_back(*std::move(tenant));
  }
  co_return out;
}

}  // namespace aios::store::detail
