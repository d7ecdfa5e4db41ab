// SPDX-License-Identifier: Apache-2.0
#pragma once
// govern/test/keys: the keys of an installation on a store in memory, which can be opened again.

#include "core/ids.h"
#include "govern/identity.h"
#include "runtime/sim.h"
#include "store/test/memory.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace aios::govern::test {

struct Keys {
  Keys() { reopen(); }
  /// As a server that starts again.
  void reopen() {
    identity.reset();
    store.reset();
    store = store::test::open_memory(disk, loop.clock());
    identity = std::make_unique<Identity>(*store, loop.clock());
    REQUIRE(loop.run(identity->load(system_context(default_tenant(), "test"))).ok());
  }
  Result<Identity::NewKey> create(const TenantId& tenant, std::string name,
                                  std::vector<std::string> roles, KeyTerms terms = {}) {
    return loop.run(identity->create_on(system_context(tenant, "test"), std::move(name),
                                        std::move(roles), terms));
  }
  Result<void> revoke(const TenantId& tenant, std::string id) {
    return loop.run(identity->revoke(system_context(tenant, "test"), std::move(id)));
  }

  runtime::SimExecutor loop;
  std::shared_ptr<store::MemoryDisk> disk = std::make_shared<store::MemoryDisk>();
  std::unique_ptr<store::Store> store;
  std::unique_ptr<Identity> identity;
};

}  // namespace aios::govern::test
