// SPDX-License-Identifier: Apache-2.0
#include "workflow/detail/order.h"

#include "core/json.h"

#include <fmt/format.h>

#include <algorithm>

namespace aios::workflow {
namespace {

constexpr std::uint32_t page_max = 1'000;
constexpr Duration full_pause = std::chrono::seconds(2);

}  // namespace

void Order::put(const std::string& run_id, Place place) {
  lines_[place.line][place.number] = run_id;
  last_ = std::max(last_, place.number);
  const TenantId tenant = place.line.first;
  counts_[tenant] += places_.insert_or_assign(run_id, std::move(place)).second ? 1 : 0;
}

/// With the lock held.
std::optional<Error> Order::full(const TenantId& tenant) const {
  const auto found = counts_.find(tenant);
  const std::size_t own = found == counts_.end() ? 0 : found->second;
  if (own < tenant_few || (own < tenant_max && places_.size() < places_max)) {
    return std::nullopt;
  }
  return Error(Code::unavailable,
               fmt::format("{} ordered runs of tenant '{}' and {} of all are under way, the most "
                           "there may be is {} and {}",
                           own, tenant.text(), places_.size(), tenant_max, places_max),
               Retry::same_call)
      .after(full_pause);
}

/// A place whose subject was erased cannot be read: its run cannot either, and holds up nobody.
Task<Result<void>> Order::read(Context ctx, store::Store* store) {
  {
    const std::lock_guard lock(mutex_);
    if (read_.contains(ctx.tenant)) {
      co_return Result<void>();
    }
  }
  std::vector<store::StreamRow> found;
  store::ListQuery query;
  query.kind = store::StreamKind::turn;
  query.status = "open";
  query.limit = page_max;
  for (;;) {
    auto page = query;
    auto rows = co_await store->list(ctx, std::move(page));
    if (!rows.ok()) {
      co_return std::move(rows).error().with("reading whose turn it is");
    }
    const bool last = rows->size() < page_max;
    std::move(rows->begin(), rows->end(), std::back_inserter(found));
    if (last) {
      break;
    }
    query.after = found.back().id;
  }
  const std::lock_guard lock(mutex_);
  if (!read_.insert(ctx.tenant).second) {
    co_return Result<void>();  // somebody was faster, and the lines have moved since
  }
  for (const auto& row : found) {
    const auto state = parse_json(row.state);
    if (!row.erased && state.ok()) {
      put(row.id, {{ctx.tenant, fmt::format("{}\n{}", text_or(*state, "workflow", ""),
                                            text_or(*state, "key", ""))},
                   int_or(*state, "number", 0),
                   row.version});
    }
  }
  co_return Result<void>();
}

Result<store::StreamWrite> Order::enter(const Asked& asked, Time now) {
  std::int64_t number = 0;
  {
    const std::lock_guard lock(mutex_);
    if (auto error = full(asked.tenant)) {
      return std::move(*error);
    }
    number = std::max(last_ + 1, now.ns);  // a clock that is set back changes no order
    put(asked.run_id, {{asked.tenant, fmt::format("{}\n{}", asked.workflow, asked.key)},
                       number,
                       asked.version + 1});
  }
  JsonObject state{{"workflow", asked.workflow}, {"key", asked.key}, {"number", number}};
  store::StreamWrite write;
  write.kind = store::StreamKind::turn;
  write.id = asked.run_id;
  write.expected_version = asked.version;
  write.state = store::Payload{asked.subject, to_text(Json(std::move(state)))};
  write.status = "open";
  return write;
}

bool Order::is_first(const std::string& run_id) const {
  const std::lock_guard lock(mutex_);
  const auto place = places_.find(run_id);
  return place == places_.end() ||
         lines_.at(place->second.line).begin()->first == place->second.number;
}

std::string Order::before(const std::string& run_id) const {
  const std::lock_guard lock(mutex_);
  const auto place = places_.find(run_id);
  if (place == places_.end()) {
    return "";
  }
  const Line& line = lines_.at(place->second.line);
  const auto own = line.find(place->second.number);
  return own == line.begin() ? "" : std::prev(own)->second;
}

bool Order::has(const std::string& run_id) const {
  const std::lock_guard lock(mutex_);
  return places_.contains(run_id);
}

void Order::give_back(const std::string& run_id, store::Transition* transition) const {
  std::uint64_t version = 0;
  {
    const std::lock_guard lock(mutex_);
    const auto place = places_.find(run_id);
    if (place == places_.end()) {
      return;
    }
    version = place->second.version;
  }
  auto& streams = transition->streams;
  auto write = std::find_if(streams.begin(), streams.end(), [&](const store::StreamWrite& one) {
    return one.kind == store::StreamKind::turn && one.id == run_id;
  });
  if (write == streams.end()) {
    write = streams.emplace(streams.end());
    write->kind = store::StreamKind::turn;
    write->id = run_id;
    write->expected_version = version;
  }
  write->status = "over";
  write->end = store::StreamEnd::closed;
}

std::optional<std::pair<TenantId, std::string>> Order::leave(const std::string& run_id) {
  const std::lock_guard lock(mutex_);
  const auto place = places_.find(run_id);
  if (place == places_.end()) {
    return std::nullopt;
  }
  const auto line = lines_.find(place->second.line);
  const bool was_first = line->second.begin()->first == place->second.number;
  line->second.erase(place->second.number);
  places_.erase(place);
  if (const auto count = counts_.find(line->first.first); --count->second == 0) {
    counts_.erase(count);
  }
  if (line->second.empty()) {
    lines_.erase(line);
    return std::nullopt;
  }
  return was_first ? std::optional(std::pair(line->first.first, line->second.begin()->second))
                   : std::nullopt;
}

std::vector<std::string> Order::first_of(const TenantId& tenant) const {
  std::vector<std::string> out;
  const std::lock_guard lock(mutex_);
  for (const auto& [key, line] : lines_) {
    if (key.first == tenant) {
      out.push_back(line.begin()->second);
    }
  }
  return out;
}

}  // namespace aios::workflow
