// SPDX-License-Identifier: Apache-2.0
#include "ingress/test/inbox.h"

namespace aios::ingress {
namespace {

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
