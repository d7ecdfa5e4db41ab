// SPDX-License-Identifier: Apache-2.0
// Which delivery's turn it is: of each receiver in order by run, a few at a time; and how a dead
// one comes back.
#include "connectors/detail/delivery_impl.h"
#include "core/text.h"
#include "runtime/one_shot.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace aios::connectors {
namespace {

using detail::Delivery;
using detail::PlaceName;
using detail::Tried;

constexpr Duration look_period = std::chrono::milliseconds(50);
constexpr std::uint32_t page_rows = 500;
constexpr Duration full_pause = std::chrono::seconds(30);  // a receiver takes some in that time
// Clocks that are kept in step differ by less.
constexpr Duration step_least = std::chrono::seconds(1);
constexpr Duration ahead_least = std::chrono::minutes(1);

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

/// When it may go: no later than any try is put off. What is later was put off by a clock that was
/// ahead, and may go now.
Time Deliveries::Impl::not_before(const PlaceName& name, Time next) const {
  const Time now = runtime::Executor::current()->clock().now();
  const auto known = receiver(name.first, name.second);
  const Duration most = known ? known->most : detail::Receiver().most;
  return next - now > std::max(most, ahead_least) ? now : next;
}

/// A wall clock that was set back: what waits goes after as long as before.
void Deliveries::Impl::heed_clock() {
  runtime::Clock& clock = runtime::Executor::current()->clock();
  const std::int64_t lead = clock.now().ns - clock.instant().ns;
  const Duration step(lead - std::exchange(wall_ns, lead).value_or(lead));
  if (step > -step_least) {
    return;
  }
  const std::lock_guard lock(mutex);
  for (const auto& [name, at] : places) {
    at->not_before = at->not_before + step;
    at->due.clear();
    for (auto& [run, lane] : at->lanes) {
      lane.due.reset();
      for (auto& [id, time] : lane.waiting) {
        time = time + step;
      }
      if (!lane.busy && !lane.waiting.empty()) {
        lane.due = lane.waiting.begin()->second;
        at->due.insert({*lane.due, run});
      }
    }
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
    lane.waiting[id] = not_before(name, tried.next);
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
  std::uint64_t ahead = 0;
  for (;;) {
    auto rows = co_await services.store->list(ctx, query);
    if (!rows.ok()) {
      co_return std::move(rows).error();
    }
    for (const store::StreamRow& row : *rows) {
      auto read = detail::delivery_of(row);
      const Delivery delivery = read.ok() ? std::move(*read) : Delivery{};
      const PlaceName name{ctx.tenant, row.label};
      const Time next = not_before(name, delivery.next);
      ahead += next < delivery.next ? 1 : 0;
      place(name)->pending.fetch_add(1);
      enqueue({name, delivery.run, row.id, next});
    }
    if (rows->size() < page_rows) {
      break;
    }
    query.after = rows->back().id;
  }
  if (ahead > 0 && services.log != nullptr) {
    services.log->write(observe::Level::warn, "delivery",
                        "the clock was ahead when deliveries were put off: they are tried now",
                        {{"deliveries", ahead}}, &ctx);
  }
  co_return Result<void>();
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
    impl.heed_clock();
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
    co_return Error(Code::not_found,
                    fmt::format("no delivery '{}'; 'aios deliveries list' shows those there are",
                                excerpt(id, 80)))
        .page(943);
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
  if (read->cut) {
    co_return Error(Code::failed_precondition,
                    fmt::format("the data of delivery '{}' were not kept, wanted one that can be "
                                "sent: {}",
                                id, read->last_error))
        .page(947);
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
