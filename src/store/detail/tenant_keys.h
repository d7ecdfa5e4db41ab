// SPDX-License-Identifier: Apache-2.0
#pragma once
// detail/tenant_keys: the key of each tenant and its pool of data keys that are durable and belong
// to nobody yet. A pool is filled ahead, by a thread of its own, when it runs low; only who finds
// it empty waits for the keystore's sync. No lock that others need is held over a sync.
// Threading: any.

#include "core/result.h"
#include "store/detail/keystore.h"

#include <array>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

namespace aios::store::detail {

using Key = std::array<char, 32>;
inline std::string_view view(const Key& key) { return {key.data(), key.size()}; }

struct DataKey {
  std::uint64_t id = 0;
  Key key{};
};

class Tenant {
 public:
  std::string name;
  Key key{};      ///< wraps its data keys
  Key mac_key{};  ///< names and fingerprints

 private:
  friend class TenantKeys;
  std::mutex mutex_;                   // all below
  std::map<std::uint64_t, Key> pool_;  // ids in order
  std::uint32_t next_refill_ = 16;     // doubles up to a bound
  std::uint32_t low_water_ = 0;
  bool wanted_ = false;  // waits to be filled by the thread
};

class TenantKeys {
 public:
  TenantKeys(KeyStore& keystore, std::string root_key);
  ~TenantKeys() { stop_filling(); }
  TenantKeys(const TenantKeys&) = delete;
  TenantKeys& operator=(const TenantKeys&) = delete;

  /// From here on a thread fills pools that run low; without it they are filled when empty.
  void fill_ahead();
  void stop_filling();
  /// Opens or makes the tenant's key; it lives as long as this object.
  Result<Tenant*> tenant(const std::string& name);
  /// A key nobody has, with an id above `above`.
  Result<DataKey> take(Tenant& tenant, std::uint64_t above);
  /// A key that was taken and never sealed anything that lasts.
  void give_back(Tenant& tenant, const DataKey& key);
  /// The data key as the keystore has it; nothing: destroyed.
  Result<std::optional<Key>> read(std::uint64_t id);

  const std::string& root_key() const { return root_key_; }

 private:
  enum class When : std::uint8_t { empty, low };
  struct Taken {
    std::optional<DataKey> key;
    bool low = false;
  };
  Result<Tenant*> open_or_make(const std::string& name);
  struct Made {
    std::vector<WrappedKey> rows;
    std::map<std::uint64_t, Key> keys;
  };
  Result<void> make(Tenant& tenant);
  static Made make_keys(const Tenant& tenant, std::uint64_t first_id, std::uint32_t count);
  static void stock(Tenant& tenant, Made made);
  static Taken take_from_pool(Tenant& tenant, std::uint64_t above);
  Result<void> fill(Tenant& tenant, std::uint64_t above, When when);
  void want(Tenant& tenant);
  void run();

  KeyStore& keystore_;
  std::string root_key_;
  std::shared_mutex tenants_mutex_;
  std::unordered_map<std::string, std::unique_ptr<Tenant>> tenants_;
  std::mutex adding_mutex_;  // one at a time gives out ids and adds to the keystore
  std::mutex wanted_mutex_;
  std::condition_variable wake_;
  std::deque<Tenant*> wanted_;
  bool stopping_ = false;
  std::thread thread_;
};

/// What a wrong passphrase or root key must not open: names the tenant or key it belongs to.
std::string seal_key(std::string_view by, std::string_view what, std::string_view key);
Result<std::string> open_key(std::string_view by, std::string_view what, std::string_view sealed);

Key to_key(std::string_view bytes);

}  // namespace aios::store::detail
