// SPDX-License-Identifier: Apache-2.0
// Deliveries as others see them: what a bundle declares, what is taken from the outbox, what can be
// asked. delivery_send.cc sends.
#include "connectors/delivery.h"

#include "connectors/detail/delivery_impl.h"
#include "connectors/detail/webhook.h"
#include "core/text.h"
#include "observe/metric_table.h"
#include "runtime/executor.h"

#include <fmt/format.h>

#include <utility>

namespace aios::connectors {
namespace {

using detail::Delivery;

constexpr std::size_t shown_characters_max = 200;

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

}  // namespace

Json SubscriptionInfo::to_json() const {
  JsonObject out;
  out["name"] = name;
  out["region"] = region;
  if (!url.empty()) {
    out["url"] = url;
    JsonArray list;
    for (const std::string& type : types) {
      list.emplace_back(type);
    }
    out["types"] = std::move(list);
  }
  if (!source.empty()) {
    out["source"] = source;
  }
  if (!callbacks.empty()) {
    out["callbacks"] = callbacks;
  }
  out["secret"] = secret;
  out["breaker"] = breaker;
  out["pending"] = pending;
  return Json(std::move(out));
}

Deliveries::Deliveries(DeliveryServices services)
    : impl_(std::make_unique<Impl>(std::move(services))) {
  if (impl_->services.metrics != nullptr) {
    impl_->services.metrics->gauge(observe::metric("aios_deliveries_pending"),
                                   [impl = impl_.get()] {
                                     const std::lock_guard lock(impl->mutex);
                                     std::uint64_t all = 0;
                                     for (const auto& [name, place] : impl->places) {
                                       all += place->pending.load();
                                     }
                                     return static_cast<double>(all);
                                   });
  }
}
Deliveries::~Deliveries() = default;

std::vector<Error> Deliveries::check(const std::vector<ManifestFile>& files, const Json& params) {
  std::vector<Error> errors;
  detail::read_receivers(files, params, &errors);
  return errors;
}

Staged Deliveries::stage(const TenantId& tenant, const std::vector<ManifestFile>& files,
                         const Json& params) {
  Staged staged;
  auto made = std::make_shared<const detail::Receivers>(
      detail::read_receivers(files, params, &staged.errors));
  if (staged.errors.empty()) {
    staged.put = [impl = impl_.get(), tenant, made] {
      const std::lock_guard lock(impl->mutex);
      impl->tenants[tenant] = made;
    };
  }
  return staged;
}

std::shared_ptr<const detail::Receivers> Deliveries::Impl::of(const TenantId& tenant) const {
  const std::lock_guard lock(mutex);
  const auto found = tenants.find(tenant);
  return found == tenants.end() ? std::make_shared<const detail::Receivers>() : found->second;
}

std::shared_ptr<const detail::Receiver> Deliveries::Impl::receiver(const TenantId& tenant,
                                                                   std::string_view name) const {
  const auto all = of(tenant);
  const auto found = all->find(name);
  return found == all->end() ? nullptr : found->second;
}

std::shared_ptr<detail::Place> Deliveries::Impl::place(const detail::PlaceName& name) {
  const std::lock_guard lock(mutex);
  auto& found = places[name];
  if (!found) {
    found = std::make_shared<detail::Place>();
  }
  return found;
}

void Deliveries::Impl::enqueue(detail::Waiting waiting) {
  const std::lock_guard lock(mutex);
  inbox.push_back(std::move(waiting));
}

void Deliveries::Impl::count(std::string_view outcome, std::uint64_t times) const {
  if (services.metrics != nullptr) {
    services.metrics->counter(observe::metric("aios_deliveries"), {std::string(outcome)})
        .add(times);
  }
}

Result<std::string> Deliveries::Impl::key_of(const TenantId& tenant,
                                             const detail::Receiver& receiver) const {
  auto secret = services.secrets(tenant, receiver.secret);
  if (!secret.ok()) {
    return Error(Code::unavailable, std::string(secret.error().message()), Retry::same_call)
        .page(906)
        .with(fmt::format("signing for subscription '{}'", receiver.name));
  }
  auto key = detail::webhook_key(*secret);
  if (!key.ok()) {
    return std::move(key).error().with(fmt::format("signing for subscription '{}' with secret '{}'",
                                                   receiver.name, receiver.secret));
  }
  return key;
}

std::vector<SubscriptionInfo> Deliveries::subscriptions(const TenantId& tenant) const {
  std::vector<SubscriptionInfo> out;
  const auto all = impl_->of(tenant);
  for (const auto& [name, receiver] : *all) {
    const auto place = impl_->place({tenant, name});
    SubscriptionInfo info;
    info.name = name;
    info.region = receiver->region;
    info.url = receiver->url;
    info.source = receiver->source;
    info.callbacks = receiver->callbacks;
    info.secret = receiver->secret;
    info.types = receiver->types;
    info.breaker = place->gate.breaker_state();
    info.pending = place->pending.load();
    out.push_back(std::move(info));
  }
  return out;
}

std::vector<Error> Deliveries::missing_secrets(const TenantId& tenant) const {
  std::vector<Error> missing;
  const auto all = impl_->of(tenant);
  for (const auto& [name, receiver] : *all) {
    auto key = impl_->key_of(tenant, *receiver);
    if (!key.ok()) {
      missing.push_back(std::move(key).error());
    }
  }
  return missing;
}

Result<std::string> Deliveries::admit_callback(const TenantId& tenant, std::string_view url,
                                               std::string_view secret) const {
  const auto all = impl_->of(tenant);
  std::string other;
  for (const auto& [name, receiver] : *all) {
    if (!receiver->allows_callback(url)) {
      continue;
    }
    if (secret.empty() || secret == receiver->secret) {
      return name;
    }
    other = fmt::format("subscription '{}' signs callbacks there with another secret than '{}'",
                        name, excerpt(secret, 80));
  }
  return Error(Code::permission_denied,
               !other.empty() ? other
                              : fmt::format("no subscription of the bundle allows callbacks to "
                                            "'{}'",
                                            excerpt(url, shown_characters_max)))
      .page(942);
}

bool Deliveries::subscribed(const TenantId& tenant, std::string_view type,
                            std::string_view source) const {
  const auto all = impl_->of(tenant);
  for (const auto& [name, receiver] : *all) {
    if (receiver->takes(type, source)) {
      return true;
    }
  }
  return false;
}

Task<Result<void>> Deliveries::take(Context ctx, store::OutboxRow row) {
  const Time now = runtime::Executor::current()->clock().now();
  store::Transition transition;
  transition.tenant = row.tenant;
  transition.epoch = impl_->services.store->epoch();
  transition.outbox_done = {row.id};
  auto message = message_of(row);
  if (!message.ok() && impl_->services.log != nullptr) {
    impl_->services.log->error("delivery", message.error(), &ctx);
  }
  const auto receivers =
      message.ok() ? receivers_of(*impl_->of(row.tenant), *message) : std::vector<std::string>();
  std::vector<detail::Waiting> waiting;
  for (std::size_t i = 0; i < receivers.size(); ++i) {
    const detail::PlaceName name{row.tenant, receivers[i]};
    Delivery delivery{.receiver = receivers[i],
                      .kind = message->kind,
                      .url = message->url,
                      .run = row.ordering_key,
                      .subject = message->subject,
                      .envelope = message->envelope,
                      .created = now,
                      .since = now,
                      .next = now};
    const bool full = impl_->place(name)->pending.load() >= pending_max;
    const bool large = row.data.size() > body_bytes_max;
    if (full || large) {
      delivery.last_error =
          full ? fmt::format("{} deliveries wait for the receiver already", pending_max)
               : fmt::format("it has {} bytes, at most {} are sent", row.data.size(),
                             body_bytes_max);
      delivery.envelope = large ? detail::head_of(message->envelope) : message->envelope;
      impl_->count("dead");
    }
    const std::string id = detail::delivery_id(row.id, i);
    const bool lost = !delivery.last_error.empty();
    transition.streams.push_back(
        detail::write_of(id, 0, delivery, lost ? detail::dead : detail::pending));
    if (!lost) {
      waiting.push_back({name, row.ordering_key, id, now});
    }
  }
  auto committed = co_await impl_->services.store->commit(ctx, std::move(transition));
  if (!committed.ok()) {
    co_return std::move(committed).error().with("taking up a message that leaves");
  }
  for (detail::Waiting& one : waiting) {
    impl_->place(one.place)->pending.fetch_add(1);
    impl_->enqueue(std::move(one));
  }
  co_return Result<void>();
}

Task<Result<std::vector<store::StreamRow>>> Deliveries::list(Context ctx, store::ListQuery query) {
  query.kind = store::StreamKind::delivery;
  auto rows = co_await impl_->services.store->list(ctx, std::move(query));
  co_return rows;
}

Task<Result<Json>> Deliveries::get(Context ctx, std::string id, Shown shown) {
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
  co_return to_json(*row, shown);
}

Json Deliveries::to_json(const store::StreamRow& row, Shown shown) {
  JsonObject out;
  out["id"] = row.id;
  out["status"] = row.status;
  out["receiver"] = row.label;
  auto read =
      row.erased ? Result<Delivery>(Error(Code::not_found, "erased")) : detail::delivery_of(row);
  if (!read.ok()) {
    out["erased"] = row.erased;
    return Json(std::move(out));
  }
  out["kind"] = read->kind;
  out["run"] = read->run;
  out["type"] = text_or(read->envelope, "type", "");
  out["created"] = to_rfc3339(read->created);
  out["attempts"] = std::int64_t{read->attempts};
  if (row.status == detail::pending) {
    out["next"] = to_rfc3339(read->next);
  }
  if (read->last_at.ns != 0) {
    out["last_at"] = to_rfc3339(read->last_at);
  }
  if (read->last_status != 0) {
    out["last_status"] = std::int64_t{read->last_status};
  }
  if (!read->last_error.empty()) {
    out["last_error"] = read->last_error;
  }
  if (shown == Shown::all) {
    if (!read->url.empty()) {
      out["url"] = read->url;
    }
    out["event"] = read->envelope;
    out["openings"] = read->openings;
  }
  return Json(std::move(out));
}

}  // namespace aios::connectors
