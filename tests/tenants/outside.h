// SPDX-License-Identifier: Apache-2.0
#pragma once
// tests/tenants/outside: the business systems and the receivers of all tenants, at the same
// addresses. What one tenant is answered goes by its own calls alone.

#include "net/client.h"

#include <cstdint>
#include <map>
#include <string>

namespace aios::tenants {

class Outside final : public net::Client {
 public:
  /// Each attempt takes a moment; every fifth of a tenant is lost, or all while its systems are
  /// down.
  Task<Result<net::Response>> send(Context ctx, net::ClientRequest request) override;
  void set_down(const TenantId& tenant, bool down) { sides_[tenant].down = down; }

 private:
  struct Side {
    std::uint64_t attempts = 0;
    std::map<std::string, std::string, std::less<>> done;  ///< answers by key
    bool down = false;
  };
  std::map<TenantId, Side> sides_;
};

}  // namespace aios::tenants
