// SPDX-License-Identifier: Apache-2.0
#include "govern/identity.h"

#include "core/json.h"
#include "govern/test/keys.h"
#include "runtime/task_group.h"

#include <doctest/doctest.h>

#include <map>
#include <set>

namespace aios::govern {
namespace {

using Fixture = test::Keys;

TenantId acme() { return TenantId::parse("acme").value(); }

/// A caller of the first tenant.
Context caller(Principal principal) {
  Context ctx;
  ctx.tenant = default_tenant();
  ctx.principal = std::make_shared<const Principal>(std::move(principal));
  return ctx;
}
Context with_role(std::string role) { return caller({"key_1", "key", {std::move(role)}}); }

template <typename Caller>
concept MayBeAsked = requires(const Caller& who) { Identity::allow(who, Action::read_runs); };
static_assert(MayBeAsked<Context>);
static_assert(!MayBeAsked<Principal>, "without the tenant nobody can say what a key may");

}  // namespace

TEST_CASE("identity: a key that was made is known by its secret, also after a restart") {
  Fixture f;
  const auto made = f.create(default_tenant(), "first key", {"operator", "admin", "admin"});
  REQUIRE(made.ok());
  CHECK(made->secret.size() == 48);
  CHECK(made->secret.starts_with("aios_"));
  CHECK(made->info.roles == std::vector<std::string>{"admin", "operator"});
  for (int round = 0; round < 2; ++round) {
    const auto known = f.identity->authenticate(made->secret);
    REQUIRE(known.ok());
    CHECK(known->first == default_tenant());
    CHECK(known->second->id == made->info.id);
    CHECK(known->second->kind == "key");
    CHECK(known->second->roles == made->info.roles);
    CHECK(f.identity->list(default_tenant()).at(0).name == "first key");
    CHECK(f.identity->count() == 1);
    f.reopen();
  }
}

TEST_CASE("identity: no secret is stored") {
  Fixture f;
  const auto made = f.create(default_tenant(), "a", {"ingest"}).value();
  const Context ctx = system_context(default_tenant(), "test");
  const auto row = f.loop.run(f.store->stream(ctx, store::StreamKind::api_key, made.info.id));
  REQUIRE(row.ok());
  CHECK(row->state.find(made.secret) == std::string::npos);
  CHECK(row->state.find(made.secret.substr(5)) == std::string::npos);
}

TEST_CASE("identity: unknown and revoked secrets are refused in the same words") {
  Fixture f;
  const auto made = f.create(default_tenant(), "a", {"ingest"}).value();
  REQUIRE(f.revoke(default_tenant(), made.info.id).ok());
  CHECK(f.revoke(default_tenant(), made.info.id).ok());
  const auto revoked = f.identity->authenticate(made.secret);
  const auto unknown = f.identity->authenticate("aios_nothing");
  REQUIRE_FALSE(revoked.ok());
  REQUIRE_FALSE(unknown.ok());
  CHECK(revoked.error().text() == unknown.error().text());
  CHECK(revoked.error().code() == Code::unauthenticated);
  CHECK(revoked.error().page() == 510);
  CHECK(f.identity->count() == 0);
  f.reopen();
  CHECK_FALSE(f.identity->authenticate(made.secret).ok());
  CHECK(f.identity->list(default_tenant()).at(0).revoked);
}

TEST_CASE("identity: the last valid key of an admin is not revoked") {
  Fixture f;
  const auto first = f.create(default_tenant(), "first", {"admin"}).value();
  REQUIRE(f.create(default_tenant(), "clerk", {"operator"}).ok());
  REQUIRE(f.create(acme(), "elsewhere", {"admin"}).ok());
  CHECK(f.revoke(default_tenant(), first.info.id).error().page() == 515);
  CHECK(f.identity->authenticate(first.secret).ok());
  const auto second = f.create(default_tenant(), "second", {"admin"}).value();
  CHECK(f.revoke(default_tenant(), first.info.id).ok());
  CHECK(f.revoke(default_tenant(), first.info.id).ok());  // again: nothing happens
  CHECK(f.revoke(default_tenant(), second.info.id).error().page() == 515);
  f.reopen();
  CHECK(f.revoke(default_tenant(), second.info.id).error().page() == 515);
}

TEST_CASE("identity: two admins who revoke each other at once are not both gone") {
  Fixture f;
  const auto one = f.create(default_tenant(), "one", {"admin"}).value();
  const auto two = f.create(default_tenant(), "two", {"admin"}).value();
  const Context ctx = system_context(default_tenant(), "test");
  runtime::TaskGroup group(f.loop);
  std::vector<bool> revoked;
  const auto revoke = [&](std::string id) -> Task<void> {
    return
        [](Identity& identity, Context own, std::string key, std::vector<bool>& out) -> Task<void> {
          auto done = co_await identity.revoke(std::move(own), std::move(key));
          out.push_back(done.ok());
        }(*f.identity, ctx, std::move(id), revoked);
  };
  group.spawn(revoke(one.info.id));
  group.spawn(revoke(two.info.id));
  f.loop.run(group.join());
  REQUIRE(revoked.size() == 2);
  CHECK(revoked[0] != revoked[1]);
}

TEST_CASE("identity: tenants see and revoke their own keys only") {
  Fixture f;
  const auto ours = f.create(default_tenant(), "ours", {"admin"}).value();
  const auto theirs = f.create(acme(), "theirs", {"admin"}).value();
  f.reopen();
  CHECK(f.identity->list(default_tenant()).size() == 1);
  CHECK(f.identity->list(acme()).at(0).id == theirs.info.id);
  CHECK(f.identity->authenticate(theirs.secret)->first == acme());
  const auto refused = f.revoke(acme(), ours.info.id);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().page() == 513);
  CHECK(f.identity->authenticate(ours.secret).ok());
}

TEST_CASE("identity: making and revoking a key leaves an audit leaf each, without its name") {
  Fixture f;
  const auto made = f.create(default_tenant(), "Anna Schmidt", {"reviewer"}).value();
  REQUIRE(f.revoke(default_tenant(), made.info.id).ok());
  const Context ctx = system_context(default_tenant(), "test");
  const auto leaves = f.loop.run(f.store->leaves(ctx, 0, 10)).value();
  REQUIRE(leaves.size() == 2);
  const Json leaf = parse_json(leaves[1]).value();
  CHECK(text_or(leaf, "kind", "") == "key");
  CHECK(text_or(leaf, "stream", "") == made.info.id);
  CHECK(text_or(leaf, "outcome", "") == "revoked");
  CHECK(leaves[0].find("Anna") == std::string::npos);
}

TEST_CASE("identity: a key without name or role, or with an unknown role, is not made") {
  Fixture f;
  CHECK(f.create(default_tenant(), " ", {"admin"}).error().page() == 512);
  CHECK(f.create(default_tenant(), std::string(200, 'x'), {"admin"}).error().page() == 512);
  CHECK(f.create(default_tenant(), "a", {}).error().page() == 512);
  CHECK(f.create(default_tenant(), "a\u202egnp", {"admin"}).error().page() == 512);
  const auto unknown = f.create(default_tenant(), "a", {"root"});
  CHECK(unknown.error().text().find("unknown role 'root'") != std::string::npos);
  CHECK(f.identity->count() == 0);
}

TEST_CASE("identity: roles may what the table says") {
  for (int action = 0; action <= static_cast<int>(Action::read_payloads); ++action) {
    CHECK(Identity::allow(with_role("admin"), static_cast<Action>(action)).ok());
    CHECK(
        Identity::allow(caller({"system:server", "system", {}}), static_cast<Action>(action)).ok());
    CHECK_FALSE(Identity::allow(caller({"key_1", "key", {}}), static_cast<Action>(action)).ok());
    CHECK_FALSE(Identity::allow(Context(), static_cast<Action>(action)).ok());  // nobody
  }
  using enum Action;
  const std::map<std::string, std::set<Action>> table = {
      {"ingest", {send_events}},
      {"developer",
       {read_runs, start_runs, send_events, read_reviews, deploy, train_models, read_models,
        read_metrics}},
      {"operator",
       {read_runs, start_runs, settle_runs, read_reviews, read_models, read_audit, read_metrics,
        operate}},
      {"reviewer", {read_runs, answer_reviews, read_reviews, read_models}},
      {"approver", {read_runs, answer_reviews, read_reviews, promote_models, read_models}},
      {"auditor", {read_runs, read_reviews, read_models, read_audit, read_metrics, read_payloads}}};
  for (const auto& [role, may] : table) {
    for (int number = 0; number <= static_cast<int>(read_payloads); ++number) {
      const auto action = static_cast<Action>(number);
      CAPTURE(role);
      CAPTURE(number);
      CHECK(Identity::allow(with_role(role), action).ok() == may.contains(action));
    }
  }
  const auto refused = Identity::allow(with_role("reviewer"), Action::manage_keys);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code() == Code::permission_denied);
  CHECK(refused.error().page() == 511);
  CHECK(refused.error().text().find(
            "may not manage keys: it has roles [reviewer], wanted one of [admin]") !=
        std::string::npos);
}

}  // namespace aios::govern
