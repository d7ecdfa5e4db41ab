// SPDX-License-Identifier: Apache-2.0
#include "store/detail/tenant_keys.h"

#include "core/crypto.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace aios::store::detail {
namespace {

constexpr std::uint32_t refill_max = 256;
constexpr int takes_max = 64;  // refills that others may empty before one gives up
constexpr std::size_t nonce_bytes = 12;

std::string data_key_name(const std::string& tenant, std::uint64_t id) {
  return fmt::format("data key {} of {}", id, tenant);
}

}  // namespace

Key to_key(std::string_view bytes) {
  Key key{};
  AIOS_ASSERT(bytes.size() == key.size());
  std::copy(bytes.begin(), bytes.end(), key.begin());
  return key;
}

std::string seal_key(std::string_view by, std::string_view what, std::string_view key) {
  const std::string nonce = secure_random(nonce_bytes);
  return nonce + aes_gcm_seal(by, nonce, what, key);
}

Result<std::string> open_key(std::string_view by, std::string_view what, std::string_view sealed) {
  if (sealed.size() < nonce_bytes) {
    return Error(Code::data_loss, fmt::format("{} is cut short", what)).page(411);
  }
  return aes_gcm_open(by, sealed.substr(0, nonce_bytes), what, sealed.substr(nonce_bytes));
}

TenantKeys::TenantKeys(KeyStore& keystore, std::string root_key)
    : keystore_(keystore),
      root_key_(std::move(root_key)) {}

void TenantKeys::stop_filling() {
  {
    std::lock_guard lock(wanted_mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) {
    thread_.join();
  }
}

void TenantKeys::fill_ahead() {
  thread_ = std::thread([this] { run(); });
}

Result<Tenant*> TenantKeys::tenant(const std::string& name) {
  {
    std::shared_lock lock(tenants_mutex_);
    if (auto found = tenants_.find(name); found != tenants_.end()) {
      return found->second.get();
    }
  }
  return open_or_make(name);
}

Result<Tenant*> TenantKeys::open_or_make(const std::string& name) {
  auto tenant = std::make_unique<Tenant>();
  tenant->name = name;
  auto wrapped = keystore_.tenant_key(name);
  if (!wrapped.ok()) {
    return std::move(wrapped).error();
  }
  std::unique_lock<std::mutex> adding(adding_mutex_, std::defer_lock);
  if (!*wrapped) {
    adding.lock();  // looks again: two must not make a key each
    wrapped = keystore_.tenant_key(name);
    if (!wrapped.ok()) {
      return std::move(wrapped).error();
    }
  }
  if (*wrapped) {
    auto clear = open_key(root_key_, "tenant " + name, **wrapped);
    if (!clear.ok()) {
      return std::move(clear).error().with(fmt::format("opening the key of tenant '{}'", name));
    }
    tenant->key = to_key(*clear);
  } else if (auto made = make(*tenant); !made.ok()) {
    return std::move(made).error();
  }
  tenant->mac_key = to_key(aios::view(hmac_sha256(view(tenant->key), "aios names")));
  std::unique_lock lock(tenants_mutex_);
  return tenants_.emplace(name, std::move(tenant)).first->second.get();
}

// With its first data keys: who has a tenant made is about to seal something for it.
Result<void> TenantKeys::make(Tenant& tenant) {
  tenant.key = to_key(secure_random(Key{}.size()));
  auto next = keystore_.next_id();
  if (!next.ok()) {
    return std::move(next).error();
  }
  const WrappedKey row{0, tenant.name,
                       seal_key(root_key_, "tenant " + tenant.name, view(tenant.key))};
  Made made = make_keys(tenant, *next, tenant.next_refill_);
  auto added = keystore_.add(row, made.rows, *next + made.rows.size());
  if (added.ok()) {
    stock(tenant, std::move(made));
  }
  return added;
}

TenantKeys::Made TenantKeys::make_keys(const Tenant& tenant, std::uint64_t first_id,
                                       std::uint32_t count) {
  Made made;
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint64_t id = first_id + i;
    const Key key = to_key(secure_random(Key{}.size()));
    made.rows.push_back(
        {id, tenant.name, seal_key(view(tenant.key), data_key_name(tenant.name, id), view(key))});
    made.keys.emplace(id, key);
  }
  return made;
}

void TenantKeys::stock(Tenant& tenant, Made made) {
  const auto count = static_cast<std::uint32_t>(made.keys.size());
  std::lock_guard lock(tenant.mutex_);
  tenant.pool_.merge(made.keys);
  tenant.low_water_ = count / 2;
  tenant.next_refill_ = std::min(count * 2, refill_max);
}

TenantKeys::Taken TenantKeys::take_from_pool(Tenant& tenant, std::uint64_t above) {
  Taken taken;
  std::lock_guard lock(tenant.mutex_);
  if (auto found = tenant.pool_.upper_bound(above); found != tenant.pool_.end()) {
    taken.key = DataKey{found->first, found->second};
    tenant.pool_.erase(found);
  }
  taken.low = tenant.pool_.size() < tenant.low_water_ && !std::exchange(tenant.wanted_, true);
  return taken;
}

Result<DataKey> TenantKeys::take(Tenant& tenant, std::uint64_t above) {
  for (int i = 0; i < takes_max; ++i) {
    auto taken = take_from_pool(tenant, above);
    if (taken.low) {
      want(tenant);
    }
    if (taken.key) {
      return *taken.key;
    }
    if (auto filled = fill(tenant, above, When::empty); !filled.ok()) {
      return std::move(filled).error();
    }
  }
  return Error(Code::resource_exhausted,
               fmt::format("others took the keys of {} refills", takes_max), Retry::same_call)
      .page(404);
}

void TenantKeys::give_back(Tenant& tenant, const DataKey& key) {
  std::lock_guard lock(tenant.mutex_);
  tenant.pool_.emplace(key.id, key.key);
}

// Keys that were made and never assigned are not taken up again after a restart: a restored
// keystore could not tell them from keys that newer data already uses.
Result<void> TenantKeys::fill(Tenant& tenant, std::uint64_t above, When when) {
  std::lock_guard adding(adding_mutex_);
  std::uint32_t count = 0;
  {
    std::lock_guard lock(tenant.mutex_);
    const auto& pool = tenant.pool_;
    if (when == When::low ? pool.size() >= tenant.low_water_
                          : pool.upper_bound(above) != pool.end()) {
      return {};  // somebody else did it
    }
    count = tenant.next_refill_;
  }
  auto next = keystore_.next_id();
  if (!next.ok()) {
    return std::move(next).error();
  }
  Made made = make_keys(tenant, *next, count);
  auto added = keystore_.add({}, made.rows, *next + made.rows.size());
  if (added.ok()) {
    stock(tenant, std::move(made));
  }
  return added;
}

void TenantKeys::want(Tenant& tenant) {
  {
    std::lock_guard lock(wanted_mutex_);
    if (!thread_.joinable()) {
      return;
    }
    wanted_.push_back(&tenant);
  }
  wake_.notify_one();
}

// A failure is left to who finds the pool empty: he is told what it was.
void TenantKeys::run() {
  for (;;) {
    Tenant* tenant = nullptr;
    {
      std::unique_lock lock(wanted_mutex_);
      wake_.wait(lock, [this] { return stopping_ || !wanted_.empty(); });
      if (stopping_) {
        return;
      }
      tenant = wanted_.front();
      wanted_.pop_front();
    }
    (void)fill(*tenant, 0, When::low);
    std::lock_guard lock(tenant->mutex_);
    tenant->wanted_ = false;
  }
}

Result<std::optional<Key>> TenantKeys::read(std::uint64_t id) {
  auto row = keystore_.key(id);
  if (!row.ok()) {
    return std::move(row).error();
  }
  if (!*row) {
    return std::optional<Key>();
  }
  auto owner = tenant((*row)->tenant);
  if (!owner.ok()) {
    return std::move(owner).error();
  }
  auto clear = open_key(view((*owner)->key), data_key_name((*row)->tenant, id), (*row)->wrapped);
  if (!clear.ok()) {
    return std::move(clear).error().with(fmt::format("opening data key {}", id));
  }
  return std::optional(to_key(*clear));
}

}  // namespace aios::store::detail
