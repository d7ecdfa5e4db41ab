// SPDX-License-Identifier: Apache-2.0
// Dead letters get another try: what they would start today, once.
#include "ingress/detail/ingress_impl.h"

#include "core/text.h"
#include "ingress/sources.h"

#include <fmt/format.h>

#include <utility>

namespace aios::ingress {
namespace {

constexpr int page_not_replayed = 1206;

Error cannot(std::string message) {
  return Error(Code::failed_precondition, std::move(message)).page(page_not_replayed);
}

Accepted first_answer(const Json& state) {
  Accepted out;
  out.id = text_or(state, "replayed_as", "");
  out.status = "accepted";
  out.run = text_or(state, "run", "");
  out.repeated = true;
  return out;
}

/// By the mapping and the schema of today, where a source is there that had it.
Result<Delivery> delivery_from(const Json& state, const SourcePtr& source, Time now) {
  const Json* arrived = find(state, "arrived");
  Delivery delivery;
  if (source && arrived != nullptr) {
    Arrival arrival;
    arrival.seen = arrived->at("seen");
    arrival.defaults = arrived->at("defaults").get_object();
    delivery = delivery_of(*source, std::move(arrival), now);
  } else {
    auto event = event_from_envelope(state.at("event").get_object());
    if (!event.ok()) {
      return std::move(event).error();
    }
    delivery.event = std::move(*event);
    if (delivery.event.type == unmapped_type) {
      return cannot(fmt::format("the source '{}' that it came by is not deployed any more",
                                text_or(state, "via", "")));
    }
  }
  delivery.source = text_or(state, "via", "");
  delivery.emitted = bool_or(state, "emitted", false);
  delivery.bytes = to_text(state.at("event")).size();
  if (auto digest = from_hex(text_or(state, "digest", "")); digest.ok()) {
    delivery.digest = std::move(*digest);  // its sender may send it again too
  }
  return delivery;
}

}  // namespace

Error still_dead(const std::string& id, const std::string& reason) {
  return cannot(fmt::format("'{}' starts nothing today either: {}", id, reason));
}

/// Its event is in the inbox already, sent again by its sender: the dead letter points there.
Task<Result<Accepted>> Ingress::Impl::mark_replayed(Context ctx, Replayed replayed,
                                                    Accepted accepted) {
  store::Transition transition;
  transition.tenant = ctx.tenant;
  transition.epoch = services.store->epoch();
  transition.streams.push_back(replayed_write(replayed, accepted));
  auto committed = co_await services.store->commit(ctx, std::move(transition));
  if (!committed.ok() && committed.error().code() != Code::aborted) {
    co_return std::move(committed).error();
  }
  co_return accepted;
}

Task<Result<Accepted>> Ingress::Impl::try_again(Context ctx, std::string id) {
  auto row = co_await services.store->stream(ctx, store::StreamKind::event, id);
  if (!row.ok()) {
    co_return not_found_event(std::move(row).error(), id);
  }
  if (row->erased) {
    co_return cannot(fmt::format("the content of '{}' was erased with its data subject", id));
  }
  auto state = parse_json(row->state);
  if (!state.ok()) {
    co_return std::move(state).error();
  }
  if (row->status == "replayed") {
    auto answer = first_answer(*state);
    co_await tell_fate(ctx, &answer);
    co_return answer;
  }
  if (row->status != "dead_letter") {
    co_return cannot(fmt::format("'{}' is {}: only a dead letter is replayed", id, row->status));
  }
  const Time now = runtime::Executor::current()->clock().now();
  const SourcePtr source = services.sources == nullptr
                               ? nullptr
                               : services.sources->find(ctx.tenant, text_or(*state, "via", ""));
  auto delivery = delivery_from(*state, source, now);
  if (!delivery.ok()) {
    co_return std::move(delivery).error();
  }
  Replayed replayed;
  replayed.id = id;
  replayed.version = row->version;
  replayed.label = row->label;
  replayed.holds_id = text_or(*state, "status", "") == "accepted";
  replayed.subject = text_or(state->at("event"), "subject", "");
  replayed.state = state->get_object();
  auto answer = co_await admit(ctx, std::move(*delivery), replayed);
  if (answer.ok() && answer->repeated) {
    answer = co_await mark_replayed(ctx, std::move(replayed), std::move(*answer));
  }
  co_return answer;
}

Task<Result<Accepted>> Ingress::replay(Context ctx, std::string id) {
  auto answer = co_await impl_->try_again(ctx, id);
  if (!answer.ok() && answer.error().code() == Code::aborted) {  // somebody was first
    answer = co_await impl_->try_again(ctx, id);
  }
  co_return answer;
}

}  // namespace aios::ingress
