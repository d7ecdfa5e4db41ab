// SPDX-License-Identifier: Apache-2.0
#include "ingress/outbox.h"

#include "core/failpoint.h"
#include "runtime/one_shot.h"
#include "runtime/task_group.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace aios::ingress {
namespace {

constexpr Duration look_period = std::chrono::milliseconds(200);
/// Of a tenant whose first message cannot be taken.
constexpr Duration pause_max = std::chrono::seconds(5);
constexpr std::uint32_t page_messages = 100;
/// Between two rounds of turns: what is behind so many is seen with the next.
constexpr int pages_per_look = 64;
constexpr Duration delivery_max = std::chrono::seconds(10);

Result<Event> event_of(const store::OutboxRow& row) {
  if (row.erased) {
    return Error(Code::not_found, "the event's data subject was erased");
  }
  if (row.topic != "event") {
    return Error(Code::invalid_argument, fmt::format("nobody takes topic '{}'", row.topic));
  }
  auto envelope = parse_json(row.data);
  if (!envelope.ok()) {
    return std::move(envelope).error();
  }
  if (!envelope->is_object()) {
    return Error(Code::invalid_argument, "the message is no event");
  }
  return event_from_envelope(std::move(envelope->get_object()));
}

}  // namespace

OutboxSource::OutboxSource(store::Store& store, Ingress& ingress, const observe::Log& log)
    : store_(&store),
      ingress_(&ingress),
      log_(&log) {}

/// Gone: it is another's now, who took it from the outbox.
Task<OutboxSource::Took> OutboxSource::hand_on(Context ctx, store::OutboxRow row) {
  auto taken = co_await outgoing_->take(ctx, std::move(row));
  if (taken.ok()) {
    co_return Took::gone;
  }
  log_->error("outbox", taken.error(), &ctx);
  co_return Took::later;  // it is in nobody's hands yet
}

Task<OutboxSource::Took> OutboxSource::come_in(Context ctx, Event event, std::size_t bytes) {
  Delivery delivery;
  delivery.event = std::move(event);
  delivery.bytes = bytes;
  delivery.emitted = true;
  auto accepted = co_await ingress_->accept(ctx, std::move(delivery));
  if (!accepted.ok()) {
    log_->error("outbox", accepted.error(), &ctx);
  }
  co_return accepted.ok() || accepted.error().retry() == Retry::never ? Took::taken : Took::later;
}

/// Taken when the message is dealt with, also by a refusal that will not change.
Task<OutboxSource::Took> OutboxSource::deliver(store::OutboxRow row) {
  auto& clock = runtime::Executor::current()->clock();
  const Context ctx = system_context(row.tenant, "outbox").until(clock.instant() + delivery_max);
  if (outgoing_ && row.topic == "callback") {
    auto handing = hand_on(ctx, std::move(row));
    const Took handed = co_await std::move(handing);
    co_return handed;
  }
  auto event = event_of(row);
  if (!event.ok()) {
    log_->error("outbox", event.error(), &ctx);
    co_return Took::taken;
  }
  const bool leaves = outgoing_ && outgoing_->subscribed(row.tenant, *event);
  auto inside = Result<bool>(true);
  if (leaves) {
    inside = co_await outgoing_->wanted(ctx, event->type);
  }
  if (!inside.ok()) {
    log_->error("outbox", inside.error(), &ctx);
    co_return Took::later;
  }
  if (*inside) {
    auto coming = come_in(ctx, std::move(*event), row.data.size());
    const Took taken = co_await std::move(coming);
    if (taken == Took::later) {
      co_return taken;
    }
  }
  if (!leaves) {
    co_return Took::taken;
  }
  auto handing = hand_on(ctx, std::move(row));
  const Took handed = co_await std::move(handing);
  co_return handed;
}

/// New messages of all tenants, in order; a turn reads its own again, so that only ids are kept.
Task<Result<void>> OutboxSource::look(Context ctx) {
  for (int page = 0; page < pages_per_look && known_ < known_max; ++page) {
    auto rows = co_await store_->outbox(ctx, seen_to_, page_messages);
    if (!rows.ok()) {
      co_return std::move(rows).error();
    }
    for (const store::OutboxRow& row : *rows) {
      queues_[row.tenant].ids.push_back(row.id);
      seen_to_ = row.id;
    }
    known_ += rows->size();
    if (rows->size() < page_messages) {
      break;
    }
  }
  co_return Result<void>();
}

Task<OutboxSource::Took> OutboxSource::take(Context ctx, std::uint64_t id) {
  auto rows = co_await store_->outbox(ctx, id - 1, 1);
  if (!rows.ok()) {
    log_->error("outbox", rows.error(), &ctx);
    co_return Took::later;
  }
  if (rows->empty() || rows->front().id != id) {
    co_return Took::gone;  // it was taken, and nobody knew
  }
  auto delivering = deliver(std::move(rows->front()));
  const Took took = co_await std::move(delivering);
  co_return took;
}

/// @return how many were taken. What was delivered and cannot be crossed out comes again.
Task<std::uint64_t> OutboxSource::turn(Context ctx, TenantId tenant, Queue* queue) {
  auto& clock = runtime::Executor::current()->clock();
  const Instant end = clock.instant() + turn_max;
  store::Transition done;
  done.tenant = tenant;
  done.epoch = store_->epoch();
  std::size_t passed = 0;
  auto took = Took::taken;
  while (passed < queue->ids.size() && done.outbox_done.size() < turn_messages_max &&
         took != Took::later && clock.instant() < end && !ctx.cancelled()) {
    const std::uint64_t id = queue->ids[passed];
    took = co_await take(ctx, id);
    if (took == Took::taken) {
      done.outbox_done.push_back(id);
    }
    passed += took == Took::later ? 0 : 1;
  }
  const std::uint64_t taken = done.outbox_done.size();
  if (taken > 0) {
    AIOS_FAILPOINT("outbox.delivered");
    const Context own = system_context(tenant, "outbox");
    auto committed = co_await store_->commit(own, std::move(done));
    if (!committed.ok()) {
      log_->error("outbox", committed.error(), &own);
      took = Took::later;
      passed = 0;
    }
    AIOS_FAILPOINT("outbox.crossed_out");
  }
  queue->ids.erase(queue->ids.begin(), queue->ids.begin() + static_cast<std::ptrdiff_t>(passed));
  known_ -= passed;
  const bool waits = took == Took::later;
  queue->pause =
      waits ? std::clamp<Duration>(queue->pause * 2, look_period, pause_max) : Duration(0);
  queue->not_before = clock.instant() + queue->pause;
  co_return passed == 0 ? 0 : taken;
}

/// The turns of a round: several go on at one time, each takes the next tenant when it has ended.
struct OutboxSource::Turns {
  std::map<TenantId, Queue>::iterator next;
  std::uint64_t taken = 0;
};

Task<void> OutboxSource::take_turns(Context ctx, Turns* turns) {
  auto& clock = runtime::Executor::current()->clock();
  while (turns->next != queues_.end()) {
    auto& [tenant, queue] = *turns->next++;
    if (queue.not_before <= clock.instant()) {
      const std::uint64_t taken = co_await turn(ctx, tenant, &queue);
      turns->taken += taken;
    }
  }
}

Task<Result<std::uint64_t>> OutboxSource::round(Context ctx) {
  auto looked = co_await look(ctx);
  Turns turns{queues_.begin()};
  runtime::TaskGroup group(*runtime::Executor::current());
  for (std::size_t i = 0; i < std::min(queues_.size(), turns_at_once_max); ++i) {
    group.spawn(take_turns(ctx, &turns));
  }
  co_await group.join();
  std::erase_if(queues_, [](const auto& entry) { return entry.second.ids.empty(); });
  if (!looked.ok()) {
    co_return std::move(looked).error();
  }
  co_return turns.taken;
}

Task<void> OutboxSource::run(Context ctx) {
  while (!ctx.cancelled()) {
    auto taken = co_await round(ctx);
    if (!taken.ok()) {
      log_->error("outbox", taken.error());
    }
    if (taken.ok() && *taken > 0) {
      continue;
    }
    auto rested = co_await runtime::sleep_for(ctx, look_period);
    if (!rested.ok()) {
      co_return;
    }
  }
}

}  // namespace aios::ingress
