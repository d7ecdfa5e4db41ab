// SPDX-License-Identifier: Apache-2.0
#pragma once
// detail/keystore: where wrapped keys are kept, apart from all data. What add() and destroy() did
// is durable when they return. Threading: any.

#include "core/result.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace aios::store::detail {

struct WrappedKey {
  std::uint64_t id = 0;
  std::string tenant;
  std::string wrapped;  ///< sealed by the tenant's key
};

struct KeyStoreImage {
  std::string root_check;
  std::uint64_t next_id = 1;
  std::vector<WrappedKey> tenants;  ///< id 0; wrapped by the root key
  std::vector<WrappedKey> keys;
};

class KeyStore {
 public:
  KeyStore() = default;
  KeyStore(const KeyStore&) = delete;
  KeyStore& operator=(const KeyStore&) = delete;
  virtual ~KeyStore() = default;
  /// Something sealed by the root key, to tell a wrong one; empty in a new keystore.
  virtual Result<std::string> root_check() = 0;
  virtual Result<void> set_root_check(const std::string& sealed) = 0;
  virtual Result<std::optional<std::string>> tenant_key(const std::string& tenant) = 0;
  virtual Result<std::uint64_t> next_id() = 0;
  /// Adds a tenant's key (unless empty) and data keys, and raises next_id, in one durable step.
  virtual Result<void> add(const WrappedKey& tenant, const std::vector<WrappedKey>& keys,
                           std::uint64_t next_id) = 0;
  /// Nothing: destroyed, or never made.
  virtual Result<std::optional<WrappedKey>> key(std::uint64_t id) = 0;
  virtual Result<std::uint64_t> destroy(const std::vector<std::uint64_t>& ids) = 0;
  virtual Result<KeyStoreImage> image() = 0;
};

}  // namespace aios::store::detail
