// SPDX-License-Identifier: Apache-2.0
// A permit is for one tenant at one point.
#include "govern/guard.h"

#include <doctest/doctest.h>

namespace aios::govern {

TEST_CASE("permit: it holds at the point and for the tenant that it was given to, and no other") {
  Guard guard;
  const TenantId acme = TenantId::parse("acme").value();
  const PolicyFile yes{"a.rego", "package aios.connector_egress\nallow := true"};
  REQUIRE(guard.load(acme, {yes}, Json()).ok());
  const Context ctx = system_context(acme, "test");
  const auto ruling = guard.ask(ctx, GuardPoint::connector_egress, {});
  REQUIRE(ruling.allowed());
  CHECK(ruling.permit->tenant() == acme);
  CHECK(ruling.permit->check(ctx, GuardPoint::connector_egress).ok());

  const auto elsewhere = ruling.permit->check(ctx, GuardPoint::pre_model_call);
  REQUIRE_FALSE(elsewhere.ok());
  CHECK(elsewhere.error().code() == Code::internal);
  const Context other = system_context(default_tenant(), "test");
  const auto theirs = ruling.permit->check(other, GuardPoint::connector_egress);
  REQUIRE_FALSE(theirs.ok());
  CHECK(theirs.error().code() == Code::internal);
  CHECK(theirs.error().retry() == Retry::never);
  CHECK(theirs.error().message().find("'acme'") != std::string::npos);
  CHECK(theirs.error().message().find("'default'") != std::string::npos);
}

}  // namespace aios::govern
