// SPDX-License-Identifier: Apache-2.0
#include "store/detail/memory_keystore.h"

#include "store/detail/memory_access.h"

#include <algorithm>

namespace aios::store::detail {
namespace {

class MemoryKeyStore final : public KeyStore {
 public:
  MemoryKeyStore(MemoryDisk& disk, std::uint64_t generation)
      : disk_(disk),
        generation_(generation) {}
  Result<std::string> root_check() override {
    MemoryAccess disk(disk_, generation_, disk_.impl().keys_mutex);
    return disk->keys.root_check;
  }
  Result<void> set_root_check(const std::string& sealed) override {
    MemoryAccess disk(disk_, generation_, disk_.impl().keys_mutex);
    disk->keys.root_check = sealed;
    return {};
  }
  Result<std::optional<std::string>> tenant_key(const std::string& tenant) override {
    MemoryAccess disk(disk_, generation_, disk_.impl().keys_mutex);
    for (const WrappedKey& row : disk->keys.tenants) {
      if (row.tenant == tenant) {
        return std::optional(row.wrapped);
      }
    }
    return std::optional<std::string>();
  }
  Result<std::uint64_t> next_id() override {
    MemoryAccess disk(disk_, generation_, disk_.impl().keys_mutex);
    return disk->keys.next_id;
  }
  Result<void> add(const WrappedKey& tenant, const std::vector<WrappedKey>& keys,
                   std::uint64_t next_id) override {
    MemoryAccess disk(disk_, generation_, disk_.impl().keys_mutex);
    if (!disk.alive()) {
      return lost_power();
    }
    if (!tenant.wrapped.empty()) {
      disk->keys.tenants.push_back(tenant);
    }
    disk->keys.keys.insert(disk->keys.keys.end(), keys.begin(), keys.end());
    disk->keys.next_id = next_id;
    return {};
  }
  Result<std::optional<WrappedKey>> key(std::uint64_t id) override {
    MemoryAccess disk(disk_, generation_, disk_.impl().keys_mutex);
    const auto& keys = disk->keys.keys;  // ids only grow, so the rows are sorted
    auto found = std::lower_bound(
        keys.begin(), keys.end(), id,
        [](const WrappedKey& row, std::uint64_t wanted) { return row.id < wanted; });
    return found == keys.end() || found->id != id ? std::nullopt : std::optional(*found);
  }
  Result<std::uint64_t> destroy(const std::vector<std::uint64_t>& ids) override {
    MemoryAccess disk(disk_, generation_, disk_.impl().keys_mutex);
    if (!disk.alive()) {
      return lost_power();
    }
    return std::erase_if(disk->keys.keys, [&](const WrappedKey& row) {
      return std::find(ids.begin(), ids.end(), row.id) != ids.end();
    });
  }
  Result<KeyStoreImage> image() override {
    MemoryAccess disk(disk_, generation_, disk_.impl().keys_mutex);
    return disk->keys;
  }

 private:
  MemoryDisk& disk_;
  std::uint64_t generation_;
};

}  // namespace

std::unique_ptr<KeyStore> memory_keystore(MemoryDisk& disk, std::uint64_t generation) {
  return std::make_unique<MemoryKeyStore>(disk, generation);
}

}  // namespace aios::store::detail
