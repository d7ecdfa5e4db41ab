// SPDX-License-Identifier: Apache-2.0
#include "workflow/detail/listening.h"

#include "core/text.h"
#include "store/label.h"

#include <fmt/format.h>

#include <algorithm>

namespace aios::workflow {
namespace {

constexpr std::uint32_t page_max = 1'000;

store::ListQuery listeners_of(const TenantId& tenant) {
  store::ListQuery query;
  query.tenant = tenant;
  query.kind = store::StreamKind::listener;
  query.status = listed_status;
  query.limit = page_max;
  query.with_state = false;
  return query;
}

}  // namespace

/// Once a tenant: who waited before this process began.
Task<Result<void>> Listening::read(Context ctx, store::Store* store) {
  {
    const std::lock_guard lock(mutex_);
    if (read_.contains(ctx.tenant)) {
      co_return Result<void>();
    }
  }
  std::map<Key, std::uint64_t> found;
  auto query = listeners_of(ctx.tenant);
  for (bool more = true; more;) {
    auto page = query;
    auto rows = co_await store->list(ctx, std::move(page));
    if (!rows.ok()) {
      co_return std::move(rows).error().with("reading which runs wait for events");
    }
    for (const auto& row : *rows) {
      ++found[{ctx.tenant, row.label}];
      query.after = row.id;
    }
    more = rows->size() == page_max;
  }
  const std::lock_guard lock(mutex_);
  if (read_.insert(ctx.tenant).second) {
    for (const auto& [key, count] : found) {
      waiting_[key] += count;
    }
  }
  co_return Result<void>();
}

Task<Result<void>> Listening::enter(Context ctx, store::Store* store, std::string type) {
  auto ready = co_await read(ctx, store);
  if (!ready.ok()) {
    co_return std::move(ready).error();
  }
  const Key key(ctx.tenant, store::label_of(type));
  {
    const std::lock_guard lock(mutex_);
    auto& waiting = waiting_[key];
    if (waiting < each_max_) {
      ++waiting;
      co_return Result<void>();
    }
  }
  auto query = listeners_of(ctx.tenant);
  query.label = key.second;
  auto count = co_await store->count(ctx, std::move(query));
  if (!count.ok()) {
    co_return std::move(count).error().with("counting the runs that wait for an event");
  }
  const std::lock_guard lock(mutex_);
  if (*count >= each_max_) {
    co_return Error(Code::resource_exhausted,
                    fmt::format("{} runs wait for events of type '{}', the most that may", *count,
                                excerpt(type, 100)))
        .page(1080);
  }
  waiting_[key] = *count + 1;
  co_return Result<void>();
}

Task<Result<bool>> Listening::known(Context ctx, store::Store* store, std::string type) {
  auto ready = co_await read(ctx, store);
  if (!ready.ok()) {
    co_return std::move(ready).error();
  }
  const std::lock_guard lock(mutex_);
  co_return waiting_.contains({ctx.tenant, store::label_of(type)});
}

Task<Result<bool>> Listening::listens(Context ctx, store::Store* store,
                                      const Definitions* definitions, std::string type) {
  if (definitions->listened(ctx.tenant, type)) {
    co_return true;
  }
  auto query = listeners_of(ctx.tenant);
  query.label = store::label_of(type);
  auto seen = co_await known(ctx, store, std::move(type));
  if (!seen.ok() || !*seen) {
    co_return seen;
  }
  auto count = co_await store->count(ctx, std::move(query));  // of runs of an older document
  if (!count.ok()) {
    co_return std::move(count).error();
  }
  co_return *count > 0;
}

Task<Result<bool>> Listening::wanted(Context ctx, store::Store* store,
                                     const Definitions* definitions, std::string type) {
  if (!definitions->triggered_by(ctx.tenant, type).empty()) {
    co_return true;
  }
  auto found = co_await listens(std::move(ctx), store, definitions, std::move(type));
  co_return found;
}

}  // namespace aios::workflow
