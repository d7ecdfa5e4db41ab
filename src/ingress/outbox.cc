// SPDX-License-Identifier: Apache-2.0
#include "ingress/outbox.h"

#include "runtime/one_shot.h"

#include <fmt/format.h>

namespace aios::ingress {
namespace {

constexpr auto look_period = std::chrono::milliseconds(200);
constexpr std::uint32_t messages_per_look = 100;

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

/// True when the message is dealt with, also by a refusal that will not change.
Task<bool> OutboxSource::deliver(store::OutboxRow row) {
  const Context ctx = system_context(row.tenant, "outbox");
  auto event = event_of(row);
  if (!event.ok()) {
    log_->error("outbox", event.error(), &ctx);
    co_return true;
  }
  auto accepted = co_await ingress_->accept(ctx, std::move(*event), row.data.size());
  if (accepted.ok()) {
    co_return true;
  }
  log_->error("outbox", accepted.error(), &ctx);
  co_return accepted.error().retry() == Retry::never;
}

Task<Result<std::uint64_t>> OutboxSource::take(Context ctx) {
  auto rows = co_await store_->outbox(ctx, 0, messages_per_look);
  if (!rows.ok()) {
    co_return std::move(rows).error();
  }
  std::uint64_t taken = 0;
  for (store::OutboxRow& row : *rows) {
    store::Transition done;
    done.tenant = row.tenant;
    done.epoch = store_->epoch();
    done.outbox_done = {row.id};
    const bool dealt_with = co_await deliver(std::move(row));
    if (!dealt_with) {
      break;  // order: what comes after it waits too
    }
    const Context own = system_context(done.tenant, "outbox");
    auto committed = co_await store_->commit(own, std::move(done));
    if (!committed.ok()) {
      co_return std::move(committed).error();
    }
    ++taken;
  }
  co_return taken;
}

Task<void> OutboxSource::run(Context ctx) {
  for (;;) {
    auto taken = co_await take(ctx);
    if (!taken.ok()) {
      log_->error("outbox", taken.error());
    }
    auto rested = co_await runtime::sleep_for(ctx, look_period);
    if (!rested.ok()) {
      co_return;
    }
  }
}

}  // namespace aios::ingress
