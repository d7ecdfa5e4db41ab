// SPDX-License-Identifier: Apache-2.0
#include "store/detail/keyring.h"

#include "core/crypto.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace aios::store::detail {
namespace {

constexpr std::uint32_t pool_max = 256;
constexpr std::size_t cached_max = 65'536;  // subjects and opened keys kept in memory, each
constexpr std::int64_t week_ns = 7 * 86'400'000'000'000;
constexpr std::string_view root_check_text = "aios root key";
constexpr std::size_t nonce_bytes = 12;

Key to_key(std::string_view bytes) {
  Key key{};
  AIOS_ASSERT(bytes.size() == key.size());
  std::copy(bytes.begin(), bytes.end(), key.begin());
  return key;
}

Fingerprint cut(const Digest& digest) {
  Fingerprint out{};
  std::copy_n(digest.begin(), out.size(), out.begin());
  return out;
}

std::string data_key_name(const std::string& tenant, std::uint64_t id) {
  return fmt::format("data key {} of {}", id, tenant);
}

/// Length first, so that no two pairs read the same.
std::string pair_text(std::string_view first, std::string_view second) {
  return fmt::format("{}:{}{}", first.size(), first, second);
}

}  // namespace

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

Keyring::Keyring(KeyStore& keystore, std::string root_key)
    : keystore_(keystore),
      root_key_(std::move(root_key)) {}

Result<std::unique_ptr<Keyring>> Keyring::open(KeyStore& keystore, std::string root_key) {
  if (root_key.size() != Key{}.size()) {
    return Error(Code::invalid_argument,
                 fmt::format("a root key of {} bytes, wanted {}", root_key.size(), Key{}.size()))
        .page(411);
  }
  auto check = keystore.root_check();
  if (!check.ok()) {
    return std::move(check).error();
  }
  if (check->empty()) {
    auto set = keystore.set_root_check(seal_key(root_key, root_check_text, root_check_text));
    if (!set.ok()) {
      return std::move(set).error();
    }
  } else if (!open_key(root_key, root_check_text, *check).ok()) {
    return Error(Code::permission_denied, "the root key does not open this keystore").page(411);
  }
  return std::unique_ptr<Keyring>(new Keyring(keystore, std::move(root_key)));
}

Result<Keyring::Tenant*> Keyring::tenant(const std::string& name) {
  if (auto found = tenants_.find(name); found != tenants_.end()) {
    return &found->second;
  }
  auto wrapped = keystore_.tenant_key(name);
  if (!wrapped.ok()) {
    return std::move(wrapped).error();
  }
  Tenant made;
  const std::string what = "tenant " + name;
  if (*wrapped) {
    auto clear = open_key(root_key_, what, **wrapped);
    if (!clear.ok()) {
      return std::move(clear).error().with(fmt::format("opening the key of tenant '{}'", name));
    }
    made.key = to_key(*clear);
  } else {
    made.key = to_key(secure_random(made.key.size()));
    auto next = keystore_.next_id();
    if (!next.ok()) {
      return std::move(next).error();
    }
    const WrappedKey row{0, name, seal_key(root_key_, what, view(made.key))};
    if (auto added = keystore_.add(row, {}, *next); !added.ok()) {
      return std::move(added).error();
    }
  }
  made.mac_key = to_key(aios::view(hmac_sha256(view(made.key), "aios names")));
  return &tenants_.emplace(name, std::move(made)).first->second;
}

// Keys that were made and never assigned are not taken up again after a restart: a restored
// keystore could not tell them from keys that newer data already uses.
Result<void> Keyring::refill(const std::string& name, Tenant& tenant) {
  auto next = keystore_.next_id();
  if (!next.ok()) {
    return std::move(next).error();
  }
  std::vector<WrappedKey> rows;
  std::vector<std::pair<std::uint64_t, Key>> made;
  for (std::uint32_t i = 0; i < tenant.refill; ++i) {
    const std::uint64_t id = *next + i;
    const Key key = to_key(secure_random(Key{}.size()));
    rows.push_back({id, name, seal_key(view(tenant.key), data_key_name(name, id), view(key))});
    made.emplace_back(id, key);
  }
  if (auto added = keystore_.add({}, rows, *next + rows.size()); !added.ok()) {
    return added;
  }
  tenant.pool.insert(tenant.pool.end(), made.begin(), made.end());
  tenant.refill = std::min(tenant.refill * 2, pool_max);
  return {};
}

Result<Keyring::Subject*> Keyring::subject(const std::string& tenant, const std::string& name) {
  const std::string cache_key = account_key(tenant, name);
  if (auto found = subjects_.find(cache_key); found != subjects_.end()) {
    return &found->second;
  }
  auto owner = this->tenant(tenant);
  if (!owner.ok()) {
    return std::move(owner).error();
  }
  Subject made;
  made.fingerprint = cut(hmac_sha256(view((*owner)->mac_key), pair_text("subject", name)));
  auto assigned = find_ ? find_(tenant, made.fingerprint) : Result<std::uint64_t>(std::uint64_t{0});
  if (!assigned.ok()) {
    return std::move(assigned).error();
  }
  if (*assigned != 0) {
    auto present = load(*assigned);
    if (!present.ok()) {
      return std::move(present).error();
    }
    made.key_id = *present ? *assigned : 0;
    made.durable = made.key_id != 0;
  }
  if (subjects_.size() >= cached_max) {
    std::erase_if(subjects_, [](const auto& entry) { return entry.second.durable; });
  }
  return &subjects_.insert_or_assign(cache_key, made).first->second;
}

Result<Keyring::Grant> Keyring::grant(const std::string& tenant, const std::string& subject,
                                      Time now) {
  // A NUL cannot stand in a subject, so no subject can take a week's name.
  const std::string name =
      subject.empty() ? fmt::format("{}week {}", '\0', now.ns / week_ns) : subject;
  std::lock_guard lock(mutex_);
  auto entry = this->subject(tenant, name);
  if (!entry.ok()) {
    return std::move(entry).error();
  }
  Subject& row = **entry;
  Grant grant;
  if (row.key_id == 0) {
    auto owner = this->tenant(tenant);
    if (!owner.ok()) {
      return std::move(owner).error();
    }
    Tenant& home = **owner;
    if (home.pool.empty()) {
      if (auto filled = refill(tenant, home); !filled.ok()) {
        return std::move(filled).error();
      }
    }
    row.key_id = home.pool.front().first;
    pending_.insert_or_assign(row.key_id, account_key(tenant, name));
    std::unique_lock keys_lock(keys_mutex_);
    keys_.insert_or_assign(row.key_id, home.pool.front().second);
    home.pool.pop_front();
  }
  auto opened = load(row.key_id);
  if (!opened.ok()) {
    return std::move(opened).error();
  }
  if (!*opened) {
    return Error(Code::aborted, "the subject was erased while its data was being written",
                 Retry::same_call)
        .page(417);
  }
  grant.key_id = row.key_id;
  grant.key = **opened;
  if (!row.durable) {
    grant.assignment = Assignment{row.fingerprint, row.key_id};
  }
  return grant;
}

void Keyring::committed(const std::vector<Assignment>& assignments) {
  if (assignments.empty()) {
    return;
  }
  std::lock_guard lock(mutex_);
  for (const Assignment& assignment : assignments) {
    auto waiting = pending_.find(assignment.key_id);
    if (waiting == pending_.end()) {
      continue;
    }
    auto entry = subjects_.find(waiting->second);
    if (entry != subjects_.end() && entry->second.key_id == assignment.key_id) {
      entry->second.durable = true;
    }
    pending_.erase(waiting);
  }
}

std::optional<Key> Keyring::cached(std::uint64_t id) {
  std::shared_lock lock(keys_mutex_);
  auto found = keys_.find(id);
  return found == keys_.end() ? std::nullopt : std::optional(found->second);
}

Result<std::optional<Key>> Keyring::key(std::uint64_t id) {
  if (auto known = cached(id)) {
    return known;
  }
  std::lock_guard lock(mutex_);
  return load(id);
}

// mutex_ is held: a key that destroy() has just removed cannot come back into the cache.
Result<std::optional<Key>> Keyring::load(std::uint64_t id) {
  if (auto known = cached(id)) {
    return known;
  }
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
  const Key key = to_key(*clear);
  std::unique_lock lock(keys_mutex_);
  if (keys_.size() >= cached_max) {
    keys_.clear();
  }
  keys_.insert_or_assign(id, key);
  return std::optional(key);
}

Result<std::uint64_t> Keyring::destroy(const std::string& tenant, const std::string& subject) {
  std::lock_guard lock(mutex_);
  auto entry = this->subject(tenant, subject);
  if (!entry.ok()) {
    return std::move(entry).error();
  }
  const Subject row = **entry;
  subjects_.erase(account_key(tenant, subject));
  pending_.erase(row.key_id);
  if (row.key_id == 0) {
    return std::uint64_t{0};
  }
  {
    std::unique_lock keys_lock(keys_mutex_);
    keys_.erase(row.key_id);
  }
  return keystore_.destroy({row.key_id});
}

Result<Key> Keyring::mac_key(const std::string& tenant) {
  std::lock_guard lock(mutex_);
  auto owner = this->tenant(tenant);
  if (!owner.ok()) {
    return std::move(owner).error();
  }
  return (*owner)->mac_key;
}

Result<Fingerprint> Keyring::fingerprint(const std::string& tenant, std::string_view space,
                                         std::string_view key) {
  auto mac = mac_key(tenant);
  if (!mac.ok()) {
    return std::move(mac).error();
  }
  return cut(hmac_sha256(view(*mac), pair_text(space, key)));
}

Result<std::string> Keyring::blob_name(const std::string& tenant, std::string_view subject,
                                       std::string_view bytes) {
  auto mac = mac_key(tenant);
  if (!mac.ok()) {
    return std::move(mac).error();
  }
  // The subject is part of the name: two subjects must not share bytes that one of them may have
  // erased.
  const Digest digest = hmac_sha256(view(*mac), pair_text(pair_text("blob", subject), bytes));
  return "blob_" + to_hex(aios::view(digest));
}

}  // namespace aios::store::detail
