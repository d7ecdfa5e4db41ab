// SPDX-License-Identifier: Apache-2.0
#pragma once
// detail/keyring: which key seals what. Root key wraps a key per tenant, that wraps data keys: one
// per data subject, or one per week where there is no subject. Data keys come from a pool that was
// made durable beforehand; giving one to a subject is an Assignment that rides in the journal with
// the first data it seals, so a new subject costs no fsync.
// Threading: any.

#include "core/time.h"
#include "store/detail/keystore.h"
#include "store/detail/record.h"

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace aios::store::detail {

using Key = std::array<char, 32>;
inline std::string_view view(const Key& key) { return {key.data(), key.size()}; }

/// The key id that the journal assigned to a subject; 0: none.
using FindAssigned =
    std::function<Result<std::uint64_t>(const std::string& tenant, const Fingerprint& subject)>;

class Keyring {
 public:
  /// permission_denied when the root key does not open this keystore.
  static Result<std::unique_ptr<Keyring>> open(KeyStore& keystore, std::string root_key);
  void set_finder(FindAssigned find) { find_ = std::move(find); }

  struct Grant {
    std::uint64_t key_id = 0;
    Key key{};
    std::optional<Assignment> assignment;  ///< must ride in the transition that uses the key
  };
  /// The key for new data. @param subject  empty: the tenant's key of the week of `now`.
  Result<Grant> grant(const std::string& tenant, const std::string& subject, Time now);
  /// The assignments are durable now and need not ride any more.
  void committed(const std::vector<Assignment>& assignments);
  /// Nothing: destroyed.
  Result<std::optional<Key>> key(std::uint64_t id);

  /// Destroys the subject's keys, durably. @return how many there were.
  Result<std::uint64_t> destroy(const std::string& tenant, const std::string& subject);

  /// Keyed 16-byte fingerprint of (space, key), different for each tenant.
  Result<Fingerprint> fingerprint(const std::string& tenant, std::string_view space,
                                  std::string_view key);
  Result<std::string> blob_name(const std::string& tenant, std::string_view subject,
                                std::string_view bytes);

  const std::string& root_key() const { return root_key_; }

 private:
  struct Tenant {
    Key key{};
    Key mac_key{};
    std::deque<std::pair<std::uint64_t, Key>> pool;
    std::uint32_t refill = 16;  // doubles up to pool_max
  };
  struct Subject {
    std::uint64_t key_id = 0;
    Fingerprint fingerprint{};
    bool durable = false;
  };
  Keyring(KeyStore& keystore, std::string root_key);
  Result<Tenant*> tenant(const std::string& name);  // mutex_ held
  Result<void> refill(const std::string& name, Tenant& tenant);
  Result<Subject*> subject(const std::string& tenant, const std::string& name);
  std::optional<Key> cached(std::uint64_t id);
  Result<std::optional<Key>> load(std::uint64_t id);
  Result<Key> mac_key(const std::string& tenant);

  KeyStore& keystore_;
  std::string root_key_;
  FindAssigned find_;
  std::mutex mutex_;  // tenants, subjects, pools
  std::unordered_map<std::string, Tenant> tenants_;
  std::unordered_map<std::string, Subject> subjects_;  // account_key(tenant, subject)
  std::unordered_map<std::uint64_t, std::string>
      pending_;  // key id -> subjects_ key, until committed()
  std::shared_mutex keys_mutex_;
  std::unordered_map<std::uint64_t, Key> keys_;  // opened data keys, bounded
};

/// What a wrong passphrase or root key must not open: names the tenant or key it belongs to.
std::string seal_key(std::string_view by, std::string_view what, std::string_view key);
Result<std::string> open_key(std::string_view by, std::string_view what, std::string_view sealed);

}  // namespace aios::store::detail
