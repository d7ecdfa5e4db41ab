// SPDX-License-Identifier: Apache-2.0
// Keys that end, and keys that may not ask as often as they like.
#include "govern/identity.h"

#include "core/json.h"
#include "govern/test/keys.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace aios::govern {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

struct Fixture : test::Keys {
  Result<Identity::NewKey> create(KeyTerms terms, std::string role = "ingest") {
    return Keys::create(default_tenant(), "somebody", {std::move(role)}, terms);
  }
  Result<void> revoke(std::string id) { return Keys::revoke(default_tenant(), std::move(id)); }
  Time in(Duration span) { return loop.clock().now() + span; }
};

}  // namespace

TEST_CASE("key terms: a key opens until its end, and the refusal says when that was") {
  Fixture f;
  const Time end = f.in(hours(1));
  const auto made = f.create({end, 0}).value();
  f.reopen();  // it is kept with the key
  f.loop.advance(hours(1) - seconds(1));
  CHECK(f.identity->authenticate(made.secret).ok());
  f.loop.advance(seconds(1));
  for (const auto& refused :
       {f.identity->authenticate(made.secret), f.identity->admit(made.secret)}) {
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().page() == 563);
    CHECK(refused.error().code() == Code::unauthenticated);
    CHECK(refused.error().text().find(to_rfc3339(end)) != std::string::npos);
  }
  CHECK(f.identity->authenticate(made.secret.substr(1)).error().page() == 510);
  REQUIRE(f.revoke(made.info.id).ok());
  CHECK(f.identity->authenticate(made.secret).error().page() == 510);  // as any that is revoked
}

TEST_CASE("key terms: an end that is past or far away, and a rate beyond the bound, are refused") {
  Fixture f;
  for (const KeyTerms& wrong :
       {KeyTerms{f.in(Duration(0)), 0}, KeyTerms{f.in(-hours(1)), 0},
        KeyTerms{f.in(hours(24 * 366 * 11)), 0}, KeyTerms{std::nullopt, per_minute_most + 1}}) {
    const auto refused = f.create(wrong);
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().page() == 565);
  }
  CHECK(f.identity->count() == 0);
}

TEST_CASE("key terms: an admin's key that ends does not let the last one without an end go") {
  Fixture f;
  const auto lasting = f.create({}, "admin").value();
  const auto ending = f.create({f.in(hours(1)), 0}, "admin").value();
  const auto refused = f.revoke(lasting.info.id);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().page() == 515);
  CHECK(f.revoke(ending.info.id).ok());
}

TEST_CASE("key terms: beyond its rate a key is told when to come back, and then it is taken") {
  Fixture f;
  const auto made = f.create({std::nullopt, 60}).value();  // one a second, ten at once
  const auto other = f.create({std::nullopt, 60}).value();
  f.reopen();
  for (int request = 0; request < 10; ++request) {
    CHECK(f.identity->admit(made.secret).ok());
  }
  const auto refused = f.identity->admit(made.secret);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code() == Code::rate_limited);
  CHECK(refused.error().page() == 564);
  REQUIRE(refused.error().retry_after().has_value());
  CHECK(*refused.error().retry_after() <= seconds(1));
  CHECK(f.identity->authenticate(made.secret).ok());  // asks for nothing
  CHECK(f.identity->admit(other.secret).ok());
  f.loop.advance(*refused.error().retry_after());
  CHECK(f.identity->admit(made.secret).ok());
  CHECK_FALSE(f.identity->admit(made.secret).ok());
  f.loop.advance(hours(1));  // no more than ten are saved up
  int taken = 0;
  while (taken < 100 && f.identity->admit(made.secret).ok()) {
    ++taken;
  }
  CHECK(taken == 10);
}

TEST_CASE("key terms: a key without them asks as often as it likes, for ever") {
  Fixture f;
  const auto made = f.create({}).value();
  CHECK_FALSE(made.info.expires.has_value());
  f.loop.advance(hours(24 * 1000));
  for (int request = 0; request < 10'000; ++request) {
    REQUIRE(f.identity->admit(made.secret).ok());
  }
}

}  // namespace aios::govern
