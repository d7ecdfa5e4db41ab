// SPDX-License-Identifier: Apache-2.0
// Which delivery's turn it is: of each receiver in order by run, a few at a time; and how a dead
// one comes back.
#include "connectors/detail/delivery_impl.h"
#include "core/text.h"
#include "runtime/one_shot.h"

#include <fmt/format.h>

#include <utility>

namespace aios::connectors {
namespace {

using detail::Delivery;
using detail::PlaceName;
using detail::Tried;

constexpr Duration look_period = std::chrono::milliseconds(50);
constexpr std::uint32_t page_rows = 500;
constexpr Duration full_pause = std::chrono::seconds(30);  // a receiver takes some in that time

}  // namespace

void Deliveries::Impl::refresh(detail::Place& place, const std::string& run) {
  const auto found = place.lanes.find(run);
  if (found == place.lanes.end()) {
    return;
  }
  detail::Lane& lane = found->second;
  if (lane.due) {
    place.due.erase({*lane.due, run});
    lane.due.reset();
  }
  if (lane.waiting.empty() && !lane.busy) {
    place.lanes.erase(found);
  } else if (!lane.busy) {
    lane.due = lane.waiting.begin()->second;
    place.due.insert({*lane.due, run});
  }
}

void Deliveries::Impl::take_in() {
  std::vector<detail::Waiting> fresh;
  {
    const std::lock_guard lock(mutex);
    fresh.swap(inbox);
  }
  for (const detail::Waiting& one : fresh) {
    const auto at = place(one.place);
    detail::Lane& lane = at->lanes[one.run];
    if (!lane.waiting.emplace(one.id, one.not_before).second) {
      at->pending.fetch_sub(1);  // known already
    }
    refresh(*at, one.run);
  }
}

/// Spawns what may go now.
void Deliveries::Impl::begin(const Context& ctx, const PlaceName& name, detail::Place* at) {
  const Time now = runtime::Executor::current()->clock().now();
  const auto known = receiver(name.first, name.second);
  const std::uint32_t most = known ? known->limits.concurrency : 1;
  while (!ctx.cancelled() && at->active < most && !at->due.empty() &&
         at->due.begin()->first <= now && at->not_before <= now) {
    const std::string run = at->due.begin()->second;
    detail::Lane& lane = at->lanes[run];
    lane.busy = true;
    const std::string id = lane.waiting.begin()->first;
    refresh(*at, run);
    ++at->active;
    group->spawn(go(ctx, name, place(name), run, id));
  }
}

Task<void> Deliveries::Impl::go(Context ctx, PlaceName name, std::shared_ptr<detail::Place> at,
                                std::string run, std::string id) {
  auto trying = attempt(ctx, name, at, id);
  const Tried tried = co_await std::move(trying);
  --at->active;
  detail::Lane& lane = at->lanes[run];
  lane.busy = false;
  if (tried.ended) {
    lane.waiting.erase(id);
    at->pending.fetch_sub(1);
  } else {
    lane.waiting[id] = tried.next;
  }
  refresh(*at, run);
  begin(ctx, name, at.get());
}

/// Until everything that was pending is known: what comes meanwhile must not overtake it.
Task<Result<void>> Deliveries::Impl::load_tenant(Context ctx) {
  store::ListQuery query;
  query.kind = store::StreamKind::delivery;
  query.status = detail::pending;
  query.limit = page_rows;
  for (;;) {
    auto rows = co_await services.store->list(ctx, query);
    if (!rows.ok()) {
      co_return std::move(rows).error();
    }
    for (const store::StreamRow& row : *rows) {
      auto read = detail::delivery_of(row);
      const Delivery delivery = read.ok() ? std::move(*read) : Delivery{};
      const PlaceName name{ctx.tenant, row.label};
      place(name)->pending.fetch_add(1);
      enqueue({name, delivery.run, row.id, delivery.next});
    }
    if (rows->size() < page_rows) {
      co_return Result<void>();
    }
    query.after = rows->back().id;
  }
}

Task<Result<void>> Deliveries::Impl::load(Context ctx) {
  auto all = co_await services.store->tenants_with_leaves(ctx);
  if (!all.ok()) {
    co_return std::move(all).error();
  }
  all->push_back(default_tenant());  // also before its first leaf
  for (const TenantId& tenant : *all) {
    if (loaded.contains(tenant)) {
      continue;
    }
    auto done = co_await load_tenant(detail::system_of(tenant));
    if (!done.ok()) {
      co_return std::move(done).error();
    }
    loaded.insert(tenant);
  }
  co_return Result<void>();
}

Task<void> Deliveries::run(Context ctx) {
  Impl& impl = *impl_;
  bool ready = false;
  runtime::TaskGroup group(*runtime::Executor::current());
  impl.group = &group;
  for (const auto* outcome : {"delivered", "failed", "refused", "dead"}) {
    impl.count(outcome, 0);  // there from the start: the first one after it is an increase
  }
  while (!ctx.cancelled()) {
    if (!ready) {
      auto loaded = co_await impl.load(ctx);
      ready = loaded.ok();
      if (!ready && impl.services.log != nullptr) {
        impl.services.log->error("delivery", loaded.error(), &ctx);
      }
    }
    if (ready) {
      impl.take_in();
      std::vector<std::pair<PlaceName, std::shared_ptr<detail::Place>>> all;
      {
        const std::lock_guard lock(impl.mutex);
        all.assign(impl.places.begin(), impl.places.end());
      }
      for (const auto& [name, at] : all) {
        impl.begin(ctx, name, at.get());
      }
    }
    const Duration pause = ready ? look_period : detail::store_pause;
    auto rested = co_await runtime::sleep_for(ctx, pause);
    if (!rested.ok()) {
      break;
    }
  }
  co_await group.join();
  impl.group = nullptr;
}

Task<Result<void>> Deliveries::replay(Context ctx, std::string id) {
  auto row = co_await impl_->services.store->stream(ctx, store::StreamKind::delivery, id);
  if (!row.ok() && row.error().code() == Code::not_found) {
    co_return Error(Code::not_found, fmt::format("no delivery '{}'", excerpt(id, 80))).page(943);
  }
  if (!row.ok()) {
    co_return std::move(row).error();
  }
  if (row->status != detail::dead || row->erased) {
    co_return Error(Code::failed_precondition,
                    fmt::format("delivery '{}' is {}, wanted a dead one", id,
                                row->erased ? "erased" : row->status))
        .page(944);
  }
  auto read = detail::delivery_of(*row);
  if (!read.ok()) {
    co_return std::move(read).error();
  }
  const detail::PlaceName name{ctx.tenant, read->receiver};
  if (const auto waiting = impl_->place(name)->pending.load(); waiting >= pending_max) {
    co_return Error(Code::resource_exhausted,
                    fmt::format("{} deliveries wait for subscription '{}' already, the most there "
                                "may be",
                                waiting, read->receiver),
                    Retry::same_call)
        .after(full_pause);
  }
  const Time now = runtime::Executor::current()->clock().now();
  read->since = now;
  read->next = now;
  read->intent = false;
  read->attempts = 0;
  read->last_error.clear();
  store::Transition transition;
  transition.tenant = ctx.tenant;
  transition.epoch = impl_->services.store->epoch();
  transition.streams.push_back(detail::write_of(id, row->version, *read, detail::pending));
  auto committed = co_await impl_->services.store->commit(ctx, std::move(transition));
  if (!committed.ok()) {
    co_return std::move(committed).error();
  }
  impl_->place(name)->pending.fetch_add(1);
  impl_->enqueue({name, read->run, id, now});
  co_return Result<void>();
}

}  // namespace aios::connectors
