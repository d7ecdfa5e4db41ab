// SPDX-License-Identifier: Apache-2.0
#pragma once
// detail/keyring: which key seals what. Root key wraps a key per tenant, that wraps data keys: one
// per data subject, or one per week where there is no subject. Data keys come from a pool that was
// made durable beforehand; giving one to a subject is an Assignment that rides in the journal with
// the first data it seals, so a new subject costs no sync. What is refused gives its key back.
// Threading: any. The lock over all subjects is never held over a read or a sync; who wants a
// subject that somebody is reading or destroying waits for that one alone.

#include "core/time.h"
#include "store/detail/key_cache.h"
#include "store/detail/record.h"
#include "store/detail/tenant_keys.h"

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace aios::store::detail {

/// The key id that the journal assigned to a subject; 0: none.
using FindAssigned =
    std::function<Result<std::uint64_t>(const std::string& tenant, const Fingerprint& subject)>;

class Keyring {
  struct Subject;
  using Entry = std::pair<const std::string, Subject>;

 public:
  /// permission_denied when the root key does not open this keystore.
  /// @param cached_max  subjects and opened keys kept in memory, each
  static Result<std::unique_ptr<Keyring>> open(KeyStore& keystore, std::string root_key,
                                               std::size_t cached_max = 65'536);
  void set_finder(FindAssigned find) { find_ = std::move(find); }
  /// Keys are made ahead on a thread of their own; without it, when none is left.
  void fill_ahead() { tenants_.fill_ahead(); }
  void stop_filling() { tenants_.stop_filling(); }

  /// Held by whoever uses a key whose assignment is not durable yet. When the last one lets go and
  /// none said committed(), the key is free for another subject: nothing it sealed may have
  /// reached a disk.
  class Hold {
   public:
    Hold() = default;
    Hold(Keyring& keyring, Entry& entry, std::uint64_t key_id)
        : keyring_(&keyring),
          entry_(&entry),
          key_id_(key_id) {}
    Hold(Hold&& other) noexcept;
    Hold& operator=(Hold&& other) noexcept;
    ~Hold() { let_go(false); }
    /// The assignment is durable now and need not ride any more.
    void committed() { let_go(true); }

   private:
    void let_go(bool committed);
    Keyring* keyring_ = nullptr;
    Entry* entry_ = nullptr;
    std::uint64_t key_id_ = 0;
  };

  struct Grant {
    std::uint64_t key_id = 0;
    Key key{};
    std::optional<Assignment> assignment{};  ///< must ride in the transition that uses the key
    Hold hold{};                             ///< with an assignment: keep until that is decided
  };
  /// The key for new data. @param subject  empty: the tenant's key of the week of `now`.
  Result<Grant> grant(const std::string& tenant, const std::string& subject, Time now);
  /// Nothing: destroyed.
  Result<std::optional<Key>> key(std::uint64_t id);

  /// Destroys the subject's keys, durably; blocks for it. @return how many there were.
  Result<std::uint64_t> destroy(const std::string& tenant, const std::string& subject);

  /// Keyed 16-byte fingerprint of (space, key), different for each tenant.
  Result<Fingerprint> fingerprint(const std::string& tenant, std::string_view space,
                                  std::string_view key);
  /// A request's digest as it is kept with the key it was claimed under: keyed, so that without the
  /// tenant's key it cannot be compared with a guess. An empty one stays empty.
  Result<std::string> keep_digest(const std::string& tenant, const Fingerprint& claimed,
                                  std::string_view digest);
  /// Whether `kept` was made of `digest`; what was kept before digests were keyed is the digest.
  Result<bool> same_digest(const std::string& tenant, const Fingerprint& claimed,
                           std::string_view digest, std::string_view kept);
  Result<std::string> blob_name(const std::string& tenant, std::string_view subject,
                                std::string_view bytes);

  const std::string& root_key() const { return tenants_.root_key(); }
  std::size_t subjects_cached() const;

 private:
  struct Subject {
    Tenant* tenant = nullptr;
    Fingerprint fingerprint{};
    std::uint64_t key_id = 0;  // 0: none
    Key key{};
    std::uint64_t past_id = 0;  // the greatest key it had before; its next one must be greater
    std::uint32_t holds = 0;    // all
    std::uint32_t users = 0;    // those of key_id
    bool durable = false;       // the journal says that key_id is its key
    bool busy = false;          // somebody reads, fetches or destroys its key, off the lock
    bool recent = false;
    std::list<Entry*>::iterator place{};
  };
  Keyring(KeyStore& keystore, std::string root_key, std::size_t cached_max);
  Result<Entry*> settled(std::unique_lock<std::mutex>& lock, Tenant& tenant,
                         const std::string& name);
  Result<void> load(Tenant& tenant, std::string_view name, Subject* out);
  Result<void> assign(std::unique_lock<std::mutex>& lock, Entry& entry);
  void let_go(Entry& entry, std::uint64_t key_id, bool committed);
  void no_longer_busy(Entry& entry);
  void tidy(Entry& entry);
  void evict();

  KeyStore& keystore_;
  TenantKeys tenants_;
  FindAssigned find_;
  KeyCache opened_;
  const std::size_t cached_max_;
  mutable std::mutex mutex_;
  std::condition_variable settled_;
  std::unordered_map<std::string, Subject> subjects_;  // account_key(tenant, subject)
  std::list<Entry*> ring_;                             // of subjects_, for eviction
};

}  // namespace aios::store::detail
