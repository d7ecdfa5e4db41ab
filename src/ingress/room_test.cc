// SPDX-License-Identifier: Apache-2.0
#include "ingress/test/inbox.h"

namespace aios::ingress {
namespace {

Result<Accepted> send_as(test::Inbox& inbox, Ingress& ingress, const TenantId& tenant, int number,
                         std::size_t bytes) {
  auto event = event_from_envelope({{"specversion", "1.0"},
                                    {"id", fmt::format("{}", number)},
                                    {"source", "/shop"},
                                    {"type", "shop.order"}});
  REQUIRE(event.ok());
  return inbox.executor.run(
      ingress.accept(system_context(tenant, "test"), std::move(*event), bytes));
}

Result<Accepted> send(test::Inbox& inbox, Ingress& ingress, int number) {
  auto event = event_from_envelope({{"specversion", "1.0"},
                                    {"id", fmt::format("{}", number)},
                                    {"source", "/shop"},
                                    {"type", "shop.order"}});
  REQUIRE(event.ok());
  return inbox.executor.run(
      ingress.accept(system_context(default_tenant(), "test"), std::move(*event), 100));
}

TEST_CASE("room: beyond the store's bound a sender is told to come back, and nothing is written") {
  test::Inbox inbox;
  IngressServices services{inbox.store.get(), &inbox.guard, inbox.engine.get(), &inbox.metrics};
  services.bounds.delta_share = 0;
  Ingress narrow(services);
  REQUIRE(send(inbox, *inbox.ingress, 1).ok());  // something to fold
  const auto before = inbox.store->stats();
  REQUIRE(before.delta_bytes > 0);
  const auto refused = send(inbox, narrow, 2);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().page() == 1207);
  CHECK(refused.error().retry() == Retry::same_call);
  CHECK(refused.error().retry_after().has_value());
  CHECK(net::problem(refused.error()).status == 503);
  CHECK(net::problem(refused.error()).headers.get("retry-after") == "2");
  CHECK(inbox.store->stats().sequence == before.sequence);
  services.bounds.delta_share = 0.75;
  Ingress wide(services);
  CHECK(send(inbox, wide, 2).ok());  // the sender comes again
}

TEST_CASE("room: a tenant that fills the backlog is held back, and one beside it is not") {
  for (const bool others : {false, true}) {
    CAPTURE(others);
    test::Inbox inbox;
    const TenantId beta = TenantId::parse("beta").value();
    inbox.open_to(beta);
    REQUIRE(send_as(inbox, *inbox.ingress, default_tenant(), 0, 100).ok());
    const auto one = inbox.store->stats();  // an event or so
    REQUIRE(one.delta_bytes > 0);
    IngressServices services{inbox.store.get(), &inbox.guard, inbox.engine.get(), &inbox.metrics};
    services.bounds.delta_share =
        20 * static_cast<double>(one.delta_bytes) / static_cast<double>(one.delta_bytes_max);
    Ingress narrow(services);
    if (others) {
      REQUIRE(send_as(inbox, narrow, beta, 1, 100).ok());
    }
    int taken = 0;
    auto last = send_as(inbox, narrow, default_tenant(), 1, 100);
    while (last.ok() && taken < 15) {
      ++taken;
      last = send_as(inbox, narrow, default_tenant(), taken + 1, 100);
    }
    CHECK(last.ok() == !others);
    if (!others) {
      continue;
    }
    CHECK(taken >= 5);
    CHECK(last.error().page() == 1207);
    CHECK(last.error().retry() == Retry::same_call);
    CHECK(last.error().text().find("this tenant's") != std::string::npos);
    CHECK(send_as(inbox, narrow, beta, 2, 100).ok());
    inbox.executor.advance(std::chrono::hours(2));  // beta sends no more
    CHECK(send_as(inbox, narrow, default_tenant(), 99, 100).ok());
  }
}

TEST_CASE("room: what a tenant starts beside events is of its part, and not of another's") {
  test::Inbox inbox;
  const TenantId beta = TenantId::parse("beta").value();
  inbox.open_to(beta);
  REQUIRE(send_as(inbox, *inbox.ingress, default_tenant(), 0, 100).ok());
  const auto one = inbox.store->stats();
  IngressServices services{inbox.store.get(), &inbox.guard, inbox.engine.get(), &inbox.metrics};
  services.bounds.delta_share =
      30 * static_cast<double>(one.delta_bytes) / static_cast<double>(one.delta_bytes_max);
  Ingress narrow(services);
  REQUIRE(send_as(inbox, narrow, default_tenant(), 1, 100).ok());
  REQUIRE(send_as(inbox, narrow, beta, 1, 100).ok());
  std::optional<Error> refused;
  int taken = 0;
  for (; !refused && taken < 25; ++taken) {
    refused = narrow.take_share(default_tenant(), 100);
    if (!refused) {  // what it starts is written by others
      REQUIRE(send_as(inbox, *inbox.ingress, default_tenant(), taken + 2, 100).ok());
    }
  }
  REQUIRE(refused);
  CHECK(taken >= 10);
  CHECK(refused->page() == 1207);
  CHECK(refused->retry() == Retry::same_call);
  CHECK_FALSE(send_as(inbox, narrow, default_tenant(), 99, 100).ok());
  for (int number = 2; number < 6; ++number) {
    CHECK(send_as(inbox, narrow, beta, number, 100).ok());
  }
  CHECK_FALSE(narrow.take_share(beta, 100));
}

TEST_CASE("room: beyond so many runs without a place a sender is told to come back") {
  test::Inbox inbox({}, {.all_max = 0, .tenant_max = 0});
  const auto refused = inbox.engine->install(
      default_tenant(), {{"workflows/order.yaml",
                          "document: {dsl: 1.0.3, namespace: shop, name: order, version: 1.0.0}\n"
                          "schedule: {on: {one: {with: {type: shop.order}}}}\n"
                          "do:\n  - a: {call: 'redact:1.0.0@default', with: {text: a}}\n"}});
  REQUIRE(refused.empty());
  REQUIRE(inbox.executor.run(inbox.engine->recover(system_context(default_tenant(), "t"))).ok());
  IngressServices services{inbox.store.get(), &inbox.guard, inbox.engine.get(), &inbox.metrics};
  services.bounds.waiting_runs_max = 1;
  Ingress narrow(services);
  for (int number = 0; number < 2; ++number) {
    CHECK(send(inbox, narrow, number).ok());
    inbox.executor.advance(std::chrono::seconds(2));
  }
  const auto full = send(inbox, narrow, 9);
  REQUIRE_FALSE(full.ok());
  CHECK(full.error().page() == 1207);
  services.bounds.waiting_runs_max = 2;
  Ingress wide(services);
  CHECK(send(inbox, wide, 9).ok());
}

}  // namespace
}  // namespace aios::ingress
