// SPDX-License-Identifier: Apache-2.0
#include "store/detail/keyring.h"

#include "core/crypto.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace aios::store::detail {
namespace {

constexpr std::int64_t week_ns = 7 * 86'400'000'000'000;
constexpr std::string_view root_check_text = "aios root key";
// A kept digest is this byte and 32 more: longer than any that was kept in clear, as they once
// were. Those are gone when their keys are, after 7 days.
constexpr char keyed_digest_form = 1;
constexpr std::size_t clear_digest_bytes_max = 32;
constexpr int looks_max = 4;        // at a key that others destroy keys beside
constexpr int evictions_tried = 8;  // a new subject's, so that nobody walks through all

Fingerprint cut(const Digest& digest) {
  Fingerprint out{};
  std::copy_n(digest.begin(), out.size(), out.begin());
  return out;
}

/// Length first, so that no two pairs read the same.
std::string pair_text(std::string_view first, std::string_view second) {
  return fmt::format("{}:{}{}", first.size(), first, second);
}

}  // namespace

Keyring::Hold::Hold(Hold&& other) noexcept
    : keyring_(std::exchange(other.keyring_, nullptr)),
      entry_(other.entry_),
      key_id_(other.key_id_) {}

Keyring::Hold& Keyring::Hold::operator=(Hold&& other) noexcept {
  if (this != &other) {
    let_go(false);
    keyring_ = std::exchange(other.keyring_, nullptr);
    entry_ = other.entry_;
    key_id_ = other.key_id_;
  }
  return *this;
}

void Keyring::Hold::let_go(bool committed) {
  if (Keyring* keyring = std::exchange(keyring_, nullptr)) {
    keyring->let_go(*entry_, key_id_, committed);
  }
}

Keyring::Keyring(KeyStore& keystore, std::string root_key, std::size_t cached_max)
    : keystore_(keystore),
      tenants_(keystore, std::move(root_key)),
      opened_(cached_max),
      cached_max_(cached_max) {}

Result<std::unique_ptr<Keyring>> Keyring::open(KeyStore& keystore, std::string root_key,
                                               std::size_t cached_max) {
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
  return std::unique_ptr<Keyring>(new Keyring(keystore, std::move(root_key), cached_max));
}

/// What journal and keystore know of a subject; off the lock.
Result<void> Keyring::load(Tenant& tenant, std::string_view name, Subject* out) {
  out->tenant = &tenant;
  out->fingerprint = cut(hmac_sha256(view(tenant.mac_key), pair_text("subject", name)));
  auto assigned =
      find_ ? find_(tenant.name, out->fingerprint) : Result<std::uint64_t>(std::uint64_t{0});
  if (!assigned.ok()) {
    return std::move(assigned).error();
  }
  if (*assigned == 0) {
    return {};
  }
  auto present = key(*assigned);
  if (!present.ok()) {
    return std::move(present).error();
  }
  if (*present) {
    out->key_id = *assigned;
    out->key = **present;
    out->durable = true;
  } else {
    out->past_id = *assigned;
  }
  return {};
}

/// The subject, read and not busy; the lock is held when it returns.
Result<Keyring::Entry*> Keyring::settled(std::unique_lock<std::mutex>& lock, Tenant& tenant,
                                         const std::string& name) {
  for (;;) {
    auto [found, fresh] = subjects_.try_emplace(account_key(tenant.name, name));
    Entry& entry = *found;
    if (!fresh && !entry.second.busy) {
      entry.second.recent = true;
      return &entry;
    }
    if (!fresh) {
      settled_.wait(lock);  // then it may be gone: look again
      continue;
    }
    entry.second.busy = true;
    entry.second.place = ring_.insert(ring_.end(), &entry);
    evict();
    Subject loaded;
    lock.unlock();
    auto read = load(tenant, name, &loaded);
    lock.lock();
    loaded.place = entry.second.place;
    entry.second = loaded;
    no_longer_busy(entry);
    if (!read.ok()) {
      tidy(entry);
      return std::move(read).error();
    }
    return &entry;
  }
}

/// Gives the subject a key that nobody has; off the lock, because it may wait for a sync.
Result<void> Keyring::assign(std::unique_lock<std::mutex>& lock, Entry& entry) {
  Subject& row = entry.second;
  row.busy = true;
  const std::uint64_t above = row.past_id;
  lock.unlock();
  auto taken = tenants_.take(*row.tenant, above);
  if (taken.ok()) {
    (void)opened_.put(taken->id, taken->key, opened_.era());
  }
  lock.lock();
  no_longer_busy(entry);
  if (!taken.ok()) {
    tidy(entry);
    return std::move(taken).error();
  }
  row.key_id = taken->id;
  row.key = taken->key;
  row.durable = false;
  row.users = 0;
  return {};
}

Result<Keyring::Grant> Keyring::grant(const std::string& tenant, const std::string& subject,
                                      Time now) {
  auto home = tenants_.tenant(tenant);
  if (!home.ok()) {
    return std::move(home).error();
  }
  // A NUL cannot stand in a subject, so no subject can take a week's name.
  const std::string name =
      subject.empty() ? fmt::format("{}week {}", '\0', now.ns / week_ns) : subject;
  std::unique_lock lock(mutex_);
  auto entry = settled(lock, **home, name);
  if (!entry.ok()) {
    return std::move(entry).error();
  }
  Subject& row = (*entry)->second;
  if (row.key_id == 0) {
    if (auto assigned = assign(lock, **entry); !assigned.ok()) {
      return std::move(assigned).error();
    }
  }
  Grant grant;
  grant.key_id = row.key_id;
  grant.key = row.key;
  if (!row.durable) {
    grant.assignment = Assignment{row.fingerprint, row.key_id};
    grant.hold = Hold(*this, **entry, row.key_id);
    ++row.holds;
    ++row.users;
  }
  return grant;
}

void Keyring::let_go(Entry& entry, std::uint64_t key_id, bool committed) {
  std::lock_guard lock(mutex_);
  Subject& row = entry.second;
  --row.holds;
  if (row.key_id == key_id) {
    --row.users;
    row.durable = row.durable || committed;
  }
  tidy(entry);
}

// mutex_ is held, here and below.
void Keyring::no_longer_busy(Entry& entry) {
  entry.second.busy = false;
  settled_.notify_all();
}

/// Frees a key that nobody committed, and forgets a subject without one.
void Keyring::tidy(Entry& entry) {
  Subject& row = entry.second;
  if (row.busy) {
    return;
  }
  if (row.key_id != 0 && !row.durable && row.users == 0) {
    tenants_.give_back(*row.tenant, {row.key_id, row.key});
    row.key_id = 0;
  }
  if (row.key_id == 0 && row.holds == 0) {
    ring_.erase(row.place);
    subjects_.erase(subjects_.find(entry.first));
  }
}

/// One that journal and keystore could tell again, not used since it was last passed by.
void Keyring::evict() {
  for (int i = 0; i < evictions_tried && subjects_.size() > cached_max_; ++i) {
    Entry* entry = ring_.front();
    const Subject& row = entry->second;
    if (row.busy || row.holds > 0 || std::exchange(entry->second.recent, false)) {
      ring_.splice(ring_.end(), ring_, ring_.begin());
      continue;
    }
    ring_.pop_front();
    subjects_.erase(subjects_.find(entry->first));
  }
}

std::size_t Keyring::subjects_cached() const {
  std::lock_guard lock(mutex_);
  return subjects_.size();
}

Result<std::optional<Key>> Keyring::key(std::uint64_t id) {
  Result<std::optional<Key>> read = std::optional<Key>();
  for (int i = 0; i < looks_max; ++i) {
    if (auto known = opened_.find(id)) {
      return known;
    }
    const std::uint64_t era = opened_.era();
    read = tenants_.read(id);
    if (!read.ok() || !*read || opened_.put(id, **read, era)) {
      return read;
    }
    // A key was destroyed while this one was read: it may be the same, so it is read again.
  }
  return read;
}

Result<std::uint64_t> Keyring::destroy(const std::string& tenant, const std::string& subject) {
  auto home = tenants_.tenant(tenant);
  if (!home.ok()) {
    return std::move(home).error();
  }
  std::unique_lock lock(mutex_);
  auto entry = settled(lock, **home, subject);
  if (!entry.ok()) {
    return std::move(entry).error();
  }
  Subject& row = (*entry)->second;
  const std::uint64_t id = row.key_id;
  if (id == 0) {
    tidy(**entry);
    return std::uint64_t{0};
  }
  row.busy = true;
  lock.unlock();
  auto destroyed = keystore_.destroy({id});
  // After a failure the key may be there or not: what the keystore says counts.
  auto present = destroyed.ok() ? Result<std::optional<WrappedKey>>(std::optional<WrappedKey>())
                                : keystore_.key(id);
  opened_.forget(id);
  lock.lock();
  if (present.ok() && !*present) {
    row.past_id = id;
    row.key_id = 0;
    row.key = Key{};
    row.users = 0;
    row.durable = false;
  }
  no_longer_busy(**entry);
  tidy(**entry);
  return destroyed;
}

Result<Fingerprint> Keyring::fingerprint(const std::string& tenant, std::string_view space,
                                         std::string_view key) {
  auto home = tenants_.tenant(tenant);
  if (!home.ok()) {
    return std::move(home).error();
  }
  return cut(hmac_sha256(view((*home)->mac_key), pair_text(space, key)));
}

Result<std::string> Keyring::keep_digest(const std::string& tenant, const Fingerprint& claimed,
                                         std::string_view digest) {
  if (digest.empty()) {
    return std::string();
  }
  auto home = tenants_.tenant(tenant);
  if (!home.ok()) {
    return std::move(home).error();
  }
  const Digest keyed =
      hmac_sha256(view((*home)->mac_key), pair_text(pair_text("request", view(claimed)), digest));
  return std::string(1, keyed_digest_form).append(aios::view(keyed));
}

Result<bool> Keyring::same_digest(const std::string& tenant, const Fingerprint& claimed,
                                  std::string_view digest, std::string_view kept) {
  if (kept.size() <= clear_digest_bytes_max) {
    return kept == digest;
  }
  auto keyed = keep_digest(tenant, claimed, digest);
  if (!keyed.ok()) {
    return std::move(keyed).error();
  }
  return *keyed == kept;
}

Result<std::string> Keyring::blob_name(const std::string& tenant, std::string_view subject,
                                       std::string_view bytes) {
  auto home = tenants_.tenant(tenant);
  if (!home.ok()) {
    return std::move(home).error();
  }
  // The subject is part of the name: two subjects must not share bytes that one of them may have
  // erased.
  const Digest digest =
      hmac_sha256(view((*home)->mac_key), pair_text(pair_text("blob", subject), bytes));
  return "blob_" + to_hex(aios::view(digest));
}

}  // namespace aios::store::detail
