// SPDX-License-Identifier: Apache-2.0
// Deliveries as others see them: what a bundle declares, what can be asked. delivery_take.cc takes
// them from the outbox, delivery_send.cc sends.
#include "connectors/delivery.h"

#include "connectors/detail/delivery_impl.h"
#include "connectors/detail/webhook.h"
#include "core/text.h"
#include "observe/metric_table.h"

#include <fmt/format.h>

#include <utility>

namespace aios::connectors {
namespace {

using detail::Delivery;

constexpr std::size_t shown_characters_max = 200;

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
  if (read->cut) {
    out["cut"] = true;
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
