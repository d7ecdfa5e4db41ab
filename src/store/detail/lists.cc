// SPDX-License-Identifier: Apache-2.0
// Reads of many: pages of tables and delta merged. Both sides are complete up to where the shorter
// page ends, so a round emits up to there and the next one goes on behind it.
#include "store/detail/store_impl.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <string_view>
#include <unordered_set>

namespace aios::store::detail {
namespace {

constexpr std::uint32_t limit_max = 1000;

bool matches(std::string_view status, std::string_view label, const ListQuery& query) {
  return (query.status.empty() || status == query.status) &&
         (query.label.empty() || label == query.label);
}

Page to_page(const ListQuery& query, const std::string& after) {
  return {query.kind, query.tenant.text(), query.status,       query.label,
          after,      query.limit,         query.newest_first, query.with_state};
}

Result<void> check(const ListQuery& query) {
  if (query.limit == 0 || query.limit > limit_max || query.tenant.empty()) {
    return Error(Code::invalid_argument,
                 fmt::format("a list of {} rows of tenant '{}', wanted 1 to {} of a named tenant",
                             query.limit, query.tenant.text(), limit_max))
        .page(406);
  }
  return {};
}

}  // namespace

Result<bool> StoreImpl::read_list_page(const ListQuery& query, std::string* cursor,
                                       std::vector<StreamRow>* out) {
  const std::string low = stream_key(query.kind, query.tenant.text(), "");
  const std::string high = low + '\xff';
  const auto before = [&](std::string_view a, std::string_view b) {
    return query.newest_first ? a > b : a < b;
  };
  auto stored = engine_->list(to_page(query, *cursor));
  if (!stored.ok()) {
    return std::move(stored).error();
  }
  const std::string from = cursor->empty() || query.newest_first ? low : low + *cursor;
  const std::string to = cursor->empty() || !query.newest_first ? high : low + *cursor;
  const auto recent = delta_.range(from, to, query.limit, query.newest_first);

  const bool stored_more = stored->size() >= query.limit;
  const bool recent_more = recent.size() >= query.limit;
  std::optional<std::string> bound;  // nothing: both sides are at their end
  if (stored_more) {
    bound = stored->back().key;
  }
  if (recent_more && (!bound || before(recent.back().first, *bound))) {
    bound = recent.back().first;
  }
  auto table = stored->begin();
  auto delta = recent.begin();
  while (out->size() < query.limit && (table != stored->end() || delta != recent.end())) {
    const bool take_delta =
        table == stored->end() || (delta != recent.end() && !before(table->key, delta->first));
    const std::string& key = take_delta ? delta->first : table->key;
    if (bound && before(*bound, key)) {
      break;
    }
    *cursor = id_of(key);
    if (take_delta && table != stored->end() && table->key == key) {
      ++table;  // the delta's is the newer one
    }
    auto row =
        take_delta ? to_row(delta->second, query.with_state) : to_row(*table, query.with_state);
    if (!row.ok()) {
      return std::move(row).error();
    }
    take_delta ? static_cast<void>(++delta) : static_cast<void>(++table);
    if (matches(row->status, row->label, query)) {
      out->push_back(*std::move(row));
    }
  }
  return bound.has_value() && out->size() < query.limit;
}

Result<std::vector<StreamRow>> StoreImpl::read_list(const ListQuery& query) {
  if (auto checked = check(query); !checked.ok()) {
    return std::move(checked).error();
  }
  ReadGate::Pass pass(gate_);
  std::vector<StreamRow> out;
  std::string cursor = query.after;
  for (;;) {
    auto more = read_list_page(query, &cursor, &out);
    if (!more.ok()) {
      return std::move(more).error();
    }
    if (!*more) {
      return out;
    }
  }
}

Task<Result<std::vector<StreamRow>>> StoreImpl::list(Context ctx, ListQuery query) {
  if (auto refused = refuse(ctx)) {
    co_return *std::move(refused);
  }
  query.tenant = query.tenant.empty() ? ctx.tenant : query.tenant;
  co_return read_list(query);
}

Result<std::uint64_t> StoreImpl::read_count(const ListQuery& query) {
  if (auto checked = check(query); !checked.ok()) {
    return std::move(checked).error();
  }
  ReadGate::Pass pass(gate_);
  const std::string low = stream_key(query.kind, query.tenant.text(), "");
  const auto recent = delta_.range(low, low + '\xff', SIZE_MAX, false);
  std::vector<std::string> keys;
  std::map<std::string_view, const DeltaStream*> newest;
  for (const auto& [key, stream] : recent) {
    keys.push_back(key);
    newest.emplace(key, &stream);
  }
  auto counted = engine_->count(to_page(query, ""), keys);
  if (!counted.ok()) {
    return std::move(counted).error();
  }
  std::uint64_t total = counted->matching;
  for (const TableStream& row : counted->rows) {
    auto found = newest.find(row.key);
    if (row.version >= found->second->last.version()) {
      newest.erase(found);  // folded meanwhile: counted where it is
    } else {
      total -= matches(row.status, row.label, query) ? 1 : 0;
    }
  }
  for (const auto& [key, stream] : newest) {
    const RecordStream& last = stream->last.stream();
    total += matches(last.status, last.label, query) ? 1 : 0;
  }
  return total;
}

Task<Result<std::uint64_t>> StoreImpl::count(Context ctx, ListQuery query) {
  if (auto refused = refuse(ctx)) {
    co_return *std::move(refused);
  }
  query.tenant = query.tenant.empty() ? ctx.tenant : query.tenant;
  query.limit = 1;  // not a bound of what is counted
  co_return read_count(query);
}

Result<std::vector<WakeUp>> StoreImpl::read_due(Time until, std::uint32_t limit) {
  ReadGate::Pass pass(gate_);
  std::vector<TableWake> wakes;
  TableWake after;
  after.at = Time{INT64_MIN};
  for (bool more = true; more && wakes.size() < limit;) {
    auto page = engine_->due(until, after, limit);
    if (!page.ok()) {
      return std::move(page).error();
    }
    more = page->size() >= limit;
    for (TableWake& wake : *page) {
      after = wake;
      if (!delta_.version(wake.key)) {  // else the delta knows the stream's present time
        wakes.push_back(std::move(wake));
      }
    }
  }
  auto recent = delta_.due(until, limit);
  std::unordered_set<std::string_view> fresher;
  for (const TableWake& wake : recent) {
    fresher.insert(wake.key);
  }
  // Written between the two looks: the delta's time is the present one.
  std::erase_if(wakes, [&](const TableWake& known) { return fresher.contains(known.key); });
  std::move(recent.begin(), recent.end(), std::back_inserter(wakes));
  std::sort(wakes.begin(), wakes.end(), [](const TableWake& a, const TableWake& b) {
    return a.at == b.at ? a.key < b.key : a.at < b.at;
  });
  wakes.resize(std::min<std::size_t>(wakes.size(), limit));
  std::vector<WakeUp> out;
  for (const TableWake& wake : wakes) {
    auto tenant = TenantId::parse(tenant_of(wake.key));
    if (!tenant.ok()) {
      return std::move(tenant).error();
    }
    out.push_back({*std::move(tenant), kind_of(wake.key), std::string(id_of(wake.key)), wake.at});
  }
  return out;
}

Task<Result<std::vector<WakeUp>>> StoreImpl::due(Context ctx, Time until, std::uint32_t limit) {
  if (auto refused = refuse(ctx)) {
    co_return *std::move(refused);
  }
  co_return read_due(until, limit);
}

Result<std::vector<OutboxRow>> StoreImpl::read_outbox(std::uint64_t after, std::uint32_t limit) {
  ReadGate::Pass pass(gate_);
  std::map<std::uint64_t, FoldMessage> messages;
  std::uint64_t cursor = after;
  for (bool more = true; more && messages.size() < limit;) {
    auto page = engine_->outbox(cursor, limit);
    if (!page.ok()) {
      return std::move(page).error();
    }
    more = page->size() >= limit && limit > 0;
    for (FoldMessage& message : *page) {
      cursor = message.id;
      if (!delta_.outbox_done(message.id)) {
        messages.emplace(message.id, std::move(message));
      }
    }
  }
  for (FoldMessage& message : delta_.outbox(after, limit)) {
    messages.emplace(message.id, std::move(message));
  }
  std::vector<OutboxRow> out;
  for (auto& [id, message] : messages) {
    if (out.size() >= limit) {
      break;
    }
    auto tenant = TenantId::parse(message.tenant);
    if (!tenant.ok()) {
      return std::move(tenant).error();
    }
    const std::string owner = account_key(message.tenant, message.message.topic);
    auto opened = sealer_.open(Use::message, owner, message.message.sealed);
    if (!opened.ok()) {
      return std::move(opened).error().with(fmt::format("reading outbox message {}", id));
    }
    out.push_back({id, *std::move(tenant), message.message.topic, message.message.ordering_key,
                   std::move(opened->bytes), opened->erased});
  }
  return out;
}

Task<Result<std::vector<OutboxRow>>> StoreImpl::outbox(Context ctx, std::uint64_t after,
                                                       std::uint32_t limit) {
  if (auto refused = refuse(ctx)) {
    co_return *std::move(refused);
  }
  co_return read_outbox(after, limit);
}

}  // namespace aios::store::detail
