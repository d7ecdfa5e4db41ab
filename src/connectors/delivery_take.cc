// SPDX-License-Identifier: Apache-2.0
// Taking a message over from the outbox: a delivery for each receiver, in as many commits as they
// need. The last of them takes the message out, so that after a crash it comes again; those that
// have their delivery by then get no second one.
#include "connectors/delivery.h"
#include "connectors/detail/delivery_impl.h"
#include "core/text.h"
#include "runtime/executor.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace aios::connectors {
namespace {

using detail::Delivery;

/// States of one commit; the last of them may pass it by its own size.
constexpr std::size_t commit_bytes_max = std::size_t{1} << 20;
static_assert(commit_bytes_max + 2 * Deliveries::body_bytes_max < store::transition_bytes_max);
constexpr std::size_t named_characters_max = 200;

/// A message of the outbox, as far as it matters here.
struct Message {
  std::string kind, url, subject, receiver;
  Json envelope;
};

Result<Message> message_of(const store::OutboxRow& row) {
  if (row.erased) {
    return Error(Code::not_found, "the message's data subject was erased");
  }
  auto document = parse_json(row.data);
  if (!document.ok()) {
    return std::move(document).error();
  }
  Message out;
  out.kind = row.topic;
  if (row.topic == "event") {
    out.subject = text_or(*document, "subject", "");  // as ingress seals the same event
    out.envelope = std::move(*document);
    return out;
  }
  const Json* envelope = find(*document, "envelope");
  if (envelope == nullptr || !envelope->is_object()) {
    return Error(Code::data_loss, "the message has no event");
  }
  out.url = text_or(*document, "url", "");
  out.receiver = text_or(*document, "receiver", "");
  out.subject = text_or(*document, "subject", "");
  out.envelope = *envelope;
  return out;
}

/// Of an event who subscribes to it, of a callback the one that it is for.
std::vector<std::string> receivers_of(const detail::Receivers& all, const Message& message) {
  if (message.kind != "event") {
    return {message.receiver};
  }
  std::vector<std::string> out;
  for (const auto& [name, receiver] : all) {
    if (receiver->takes(text_or(message.envelope, "type", ""),
                        text_or(message.envelope, "source", ""))) {
      out.push_back(name);
    }
  }
  return out;
}

/// What the store refuses for good is a dead letter that names the event: sealed for no person,
/// since the name of the person may be what it refuses.
void refuse(Delivery* delivery, const Error& why) {
  delivery->last_error = why.text();
  delivery->subject.clear();
  delivery->url = excerpt(delivery->url, named_characters_max);
  JsonObject named;
  for (const auto* name : {"id", "source", "type"}) {
    named[name] = excerpt(text_or(delivery->envelope, name, ""), named_characters_max);
  }
  delivery->envelope = std::move(named);
}

}  // namespace

struct Deliveries::Impl::Taking {
  store::OutboxRow row;
  Message message{};
  std::vector<std::string> receivers{};  ///< who has no delivery of it yet
  std::size_t index = 0;                 ///< in the ids, of the first of them
  std::optional<Error> refused{};        ///< by the store, for good
  // The commit that is made of it:
  store::Transition transition{};
  std::vector<detail::Waiting> waiting{};  ///< those of it that will be sent
};

detail::Delivery Deliveries::Impl::delivery_for(const Taking& taking,
                                                const std::string& receiver) const {
  const Time now = runtime::Executor::current()->clock().now();
  const Message& message = taking.message;
  const std::size_t bytes = taking.row.data.size();
  Delivery out{.receiver = receiver,
               .kind = message.kind,
               .url = message.url,
               .run = taking.row.ordering_key,
               .subject = message.subject,
               .envelope = message.envelope,
               .created = now,
               .since = now,
               .next = now};
  if (taking.refused) {
    refuse(&out, *taking.refused);
    out.cut = true;
  } else if (bytes > body_bytes_max) {
    out.last_error = fmt::format("it has {} bytes, at most {} are sent", bytes, body_bytes_max);
    out.envelope = detail::head_of(message.envelope);
    out.cut = true;
  }
  return out;
}

/// The next commit: for as many receivers as fit, and with the last of them the message is done.
void Deliveries::Impl::fill(Taking* taking) {
  taking->transition = {};
  taking->waiting.clear();
  auto& transition = taking->transition;
  transition.tenant = taking->row.tenant;
  transition.epoch = services.store->epoch();
  std::size_t bytes = 0;
  for (const std::string& receiver : taking->receivers) {
    if (bytes >= commit_bytes_max || transition.streams.size() == store::streams_max) {
      return;
    }
    const detail::PlaceName name{taking->row.tenant, receiver};
    Delivery delivery = delivery_for(*taking, receiver);
    if (delivery.last_error.empty() && place(name)->pending.load() >= pending_max) {
      delivery.last_error = fmt::format("{} deliveries wait for the receiver already", pending_max);
    }
    const bool lost = !delivery.last_error.empty();
    const std::string id =
        detail::delivery_id(taking->row.id, taking->index + transition.streams.size());
    transition.streams.push_back(
        detail::write_of(id, 0, delivery, lost ? detail::dead : detail::pending));
    bytes += transition.streams.back().state->bytes.size();
    if (!lost) {
      taking->waiting.push_back({name, taking->row.ordering_key, id, delivery.next});
    }
  }
  transition.outbox_done = {taking->row.id};
}

/// A message that was begun before, by this process or by one that ended: who has a delivery of it
/// gets no other one, whatever was subscribed meanwhile. Their ids have no gaps.
Task<Result<void>> Deliveries::Impl::pass_over(Context ctx, Taking* taking) {
  for (;;) {
    const std::string id = detail::delivery_id(taking->row.id, taking->index);
    auto row = co_await services.store->stream(ctx, store::StreamKind::delivery, id);
    if (!row.ok() && row.error().code() == Code::not_found) {
      co_return Result<void>();
    }
    if (!row.ok()) {
      co_return std::move(row).error();
    }
    ++taking->index;
    std::erase(taking->receivers, row->label);
    if (row->status == detail::pending) {  // nobody may know of it: the commit's end was not seen
      const detail::PlaceName name{taking->row.tenant, row->label};
      place(name)->pending.fetch_add(1);
      enqueue({name, taking->row.ordering_key, id, Time{}});
    }
  }
}

/// Of what was committed.
void Deliveries::Impl::go_on(Taking* taking) {
  const std::size_t made = taking->transition.streams.size();
  count("dead", made - taking->waiting.size());
  for (detail::Waiting& one : taking->waiting) {
    place(one.place)->pending.fetch_add(1);
    enqueue(std::move(one));
  }
  taking->index += made;
  const auto first = taking->receivers.begin();
  taking->receivers.erase(first, first + static_cast<std::ptrdiff_t>(made));
}

Task<Result<void>> Deliveries::take(Context ctx, store::OutboxRow row) {
  Impl& impl = *impl_;
  Impl::Taking taking{std::move(row)};
  auto message = message_of(taking.row);
  if (message.ok()) {
    taking.message = std::move(*message);
    taking.receivers = receivers_of(*impl.of(taking.row.tenant), taking.message);
  } else if (impl.services.log != nullptr) {
    impl.services.log->error("delivery", message.error(), &ctx);
  }
  bool looked = false;
  for (bool done = false; !done;) {
    impl.fill(&taking);
    auto transition = taking.transition;
    auto committed = co_await impl.services.store->commit(ctx, std::move(transition));
    if (committed.ok()) {
      done = !taking.transition.outbox_done.empty();
      impl.go_on(&taking);
      continue;
    }
    Error error = std::move(committed).error();
    auto passed = Result<void>(error);
    if (error.code() == Code::aborted && !looked) {
      looked = true;
      passed = co_await impl.pass_over(ctx, &taking);
    } else if (error.code() == Code::invalid_argument && !taking.refused) {
      if (impl.services.log != nullptr) {
        impl.services.log->error("delivery", error, &ctx);
      }
      taking.refused = std::move(error);
      passed = {};
    }
    if (!passed.ok()) {
      co_return std::move(passed).error().with("taking up a message that leaves");
    }
  }
  co_return Result<void>();
}

}  // namespace aios::connectors
