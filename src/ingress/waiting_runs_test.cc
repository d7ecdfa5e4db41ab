// SPDX-License-Identifier: Apache-2.0
#include "ingress/test/inbox.h"

#include <doctest/doctest.h>

#include <string>

namespace aios::ingress {
namespace {

using test::Inbox;

constexpr const char* ticket = R"(
document: {dsl: '1.0.3', namespace: shop, name: ticket, version: '1.0.0'}
schedule: {on: {one: {with: {type: shop.ticket}}}}
do:
  - keep: {set: {ticket: '${ .[0].subject }'}, export: {as: .}}
  - reply: {listen: {to: {one: {with: {type: shop.reply, subject: '${ $context.ticket }'}}}}}
)";

Accepted send(Inbox& inbox, const std::string& id, const std::string& type,
              const std::string& subject) {
  auto event = event_from_envelope({{"specversion", "1.0"},
                                    {"id", id},
                                    {"source", "/shop"},
                                    {"type", type},
                                    {"subject", subject},
                                    {"data", {{"text", "thanks"}}}});
  REQUIRE(event.ok());
  auto accepted = inbox.executor.run(
      inbox.ingress->accept(system_context(default_tenant(), "sender"), std::move(*event), 100));
  REQUIRE(accepted.ok());
  return std::move(*accepted);
}

std::string status_of(Inbox& inbox, const std::string& run) {
  auto view = inbox.executor.run(inbox.engine->get(system_context(default_tenant(), "test"), run));
  REQUIRE(view.ok());
  return view->status;
}

}  // namespace

TEST_CASE("ingress: an event goes to the run that waits for it, and sent again to nobody") {
  Inbox inbox;
  REQUIRE(inbox.engine->install(default_tenant(), {{"ticket.yaml", ticket}}).empty());
  const auto started = send(inbox, "1", "shop.ticket", "T1");
  REQUIRE_FALSE(started.run.empty());
  const auto other = send(inbox, "2", "shop.reply", "T2");
  CHECK(other.status == "accepted");
  CHECK(other.delivered.empty());
  CHECK(status_of(inbox, started.run) == "waiting");
  const auto reply = send(inbox, "3", "shop.reply", "T1");
  CHECK(reply.delivered == started.run);
  CHECK(reply.run.empty());
  CHECK(status_of(inbox, started.run) == "completed");
  const auto again = send(inbox, "3", "shop.reply", "T1");
  CHECK(again.repeated);
  CHECK(again.id == reply.id);
  CHECK(send(inbox, "4", "shop.other", "T1").status == "dead_letter");
}

TEST_CASE(
    "ingress: a reply that overtakes its ticket is found by the run that waits for it later") {
  Inbox inbox;
  REQUIRE(inbox.engine->install(default_tenant(), {{"ticket.yaml", ticket}}).empty());
  CHECK(send(inbox, "1", "shop.reply", "T1").delivered.empty());
  const auto started = send(inbox, "2", "shop.ticket", "T1");
  CHECK(status_of(inbox, started.run) == "completed");
}

}  // namespace aios::ingress
