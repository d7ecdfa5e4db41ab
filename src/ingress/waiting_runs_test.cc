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

Json shown(Inbox& inbox, const std::string& id) {
  auto event = inbox.executor.run(inbox.ingress->get(system_context(default_tenant(), "test"), id));
  REQUIRE(event.ok());
  return std::move(*event);
}

std::string text(const Json& value, std::string_view name) {
  return std::string(text_or(value, name, ""));
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
  CHECK(text(shown(inbox, reply.id), "delivered") == started.run);
  CHECK(text(shown(inbox, other.id), "delivered").empty());
  CHECK(status_of(inbox, started.run) == "completed");
  const auto again = send(inbox, "3", "shop.reply", "T1");
  CHECK(again.repeated);
  CHECK(again.id == reply.id);
  CHECK(again.delivered == started.run);
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

TEST_CASE("ingress: who sends more than is kept of a type pushes out none but its own") {
  Inbox inbox;
  REQUIRE(inbox.engine->install(default_tenant(), {{"ticket.yaml", ticket}}).empty());
  send(inbox, "0", "shop.ticket", "T0");  // it listens: so the type is one that is kept
  const auto by = [&inbox](const std::string& key, const std::string& id,
                           const std::string& subject) {
    auto event = event_from_envelope({{"specversion", "1.0"},
                                      {"id", id},
                                      {"source", "/" + id},
                                      {"type", "shop.reply"},
                                      {"subject", subject}});
    REQUIRE(event.ok());
    auto ctx = system_context(default_tenant(), "sender");
    ctx.principal = std::make_shared<Principal>(Principal{key, "key", {"ingest"}});
    const auto taken =
        inbox.executor.run(inbox.ingress->accept(std::move(ctx), std::move(*event), 100));
    REQUIRE(taken.ok());
    return taken->id;
  };
  by("key_shop", "genuine", "T1");
  std::string first;
  for (int i = 0; i < 1'005; ++i) {
    inbox.executor.advance(std::chrono::milliseconds(2));  // ids follow the clock
    const auto id = by("key_flood", fmt::format("f{}", i), "T-none");
    first = first.empty() ? id : first;
  }
  CHECK(text(shown(inbox, first), "status") == "dead_letter");
  const auto late = send(inbox, "1", "shop.ticket", "T1");
  CHECK(status_of(inbox, late.run) == "completed");  // its reply was there
}

TEST_CASE("ingress: what nobody takes within the hour is a dead letter, also after a restart") {
  Inbox inbox;
  REQUIRE(inbox.engine->install(default_tenant(), {{"ticket.yaml", ticket}}).empty());
  const auto ctx = system_context(default_tenant(), "test");
  REQUIRE(inbox.executor.run(inbox.engine->recover(ctx)).ok());
  const auto reply = send(inbox, "1", "shop.reply", "T1");
  CHECK(reply.status == "accepted");
  inbox.executor.advance(std::chrono::minutes(59));
  CHECK(text(shown(inbox, reply.id), "status") == "accepted");
  inbox.executor.advance(std::chrono::minutes(2));
  const auto dead = shown(inbox, reply.id);
  CHECK(text(dead, "status") == "dead_letter");
  CHECK(text(dead, "reason") == "no run that listens took it within an hour");
  Ingress::Wanted wanted;
  wanted.status = "dead_letter";
  CHECK(inbox.executor.run(inbox.ingress->list(ctx, wanted)).value().size() == 1);
  const auto again = send(inbox, "1", "shop.reply", "T1");
  CHECK(again.repeated);
  CHECK(again.status == "dead_letter");
  CHECK(inbox.leaves().size() == 2);

  const auto started = send(inbox, "2", "shop.ticket", "T1");
  CHECK(status_of(inbox, started.run) == "waiting");
  const auto replayed = inbox.executor.run(inbox.ingress->replay(ctx, reply.id));
  REQUIRE(replayed.ok());
  CHECK(replayed->delivered == started.run);
  CHECK(status_of(inbox, started.run) == "completed");
  CHECK(text(shown(inbox, reply.id), "status") == "replayed");
  CHECK(text(shown(inbox, replayed->id), "delivered") == started.run);
  const auto twice = inbox.executor.run(inbox.ingress->replay(ctx, reply.id));
  REQUIRE(twice.ok());
  CHECK(twice->repeated);
  CHECK(twice->delivered == started.run);
}

TEST_CASE("ingress: who sends an event again that was replayed is told what took it then") {
  constexpr const char* late = R"(
document: {dsl: '1.0.3', namespace: shop, name: late, version: '1.0.0'}
schedule: {on: {one: {with: {type: shop.reply}}}}
do:
  - a: {set: {x: 1}}
)";
  for (const bool starts : {true, false}) {
    CAPTURE(starts);
    Inbox inbox;
    REQUIRE(inbox.engine->install(default_tenant(), {{"ticket.yaml", ticket}}).empty());
    const auto ctx = system_context(default_tenant(), "test");
    REQUIRE(inbox.executor.run(inbox.engine->recover(ctx)).ok());
    const auto reply = send(inbox, "1", "shop.reply", "T1");
    inbox.executor.advance(std::chrono::hours(2));
    CHECK(send(inbox, "1", "shop.reply", "T1").status == "dead_letter");
    std::string run;
    if (starts) {
      REQUIRE(
          inbox.engine->install(default_tenant(), {{"ticket.yaml", ticket}, {"late.yaml", late}})
              .empty());
      const auto replayed = inbox.executor.run(inbox.ingress->replay(ctx, reply.id));
      REQUIRE(replayed.ok());
      run = replayed->run;
    } else {
      const auto first = inbox.executor.run(inbox.ingress->replay(ctx, reply.id));
      REQUIRE(first.ok());
      inbox.executor.advance(std::chrono::hours(2));  // and again nobody took it
      const auto dead = send(inbox, "1", "shop.reply", "T1");
      CHECK(dead.status == "dead_letter");
      CHECK_FALSE(dead.reason.empty());
      run = send(inbox, "2", "shop.ticket", "T1").run;
      CHECK(inbox.executor.run(inbox.ingress->replay(ctx, first->id)).ok());
    }
    REQUIRE_FALSE(run.empty());
    const auto again = send(inbox, "1", "shop.reply", "T1");
    CHECK(again.repeated);
    CHECK(again.id == reply.id);
    CHECK(again.status == "accepted");
    CHECK(again.reason.empty());
    CHECK((starts ? again.run : again.delivered) == run);
    CHECK(text(shown(inbox, reply.id), "status") == "replayed");
    CHECK(text(shown(inbox, reply.id), "reason").empty());
  }
}

TEST_CASE("ingress: an event that starts a run is no dead letter when nobody listens for it too") {
  Inbox inbox;
  REQUIRE(inbox.engine
              ->install(default_tenant(),
                        {{"ticket.yaml", ticket},
                         {"other.yaml",
                          "document: {dsl: '1.0.3', namespace: shop, name: other, version: 1.0.0}\n"
                          "schedule: {on: {one: {with: {type: shop.reply}}}}\n"
                          "do:\n  - a: {set: {x: 1}}\n"}})
              .empty());
  const auto ctx = system_context(default_tenant(), "test");
  REQUIRE(inbox.executor.run(inbox.engine->recover(ctx)).ok());
  const auto reply = send(inbox, "1", "shop.reply", "T1");
  REQUIRE_FALSE(reply.run.empty());
  inbox.executor.advance(std::chrono::hours(2));
  CHECK(text(shown(inbox, reply.id), "status") == "accepted");
  CHECK(text(shown(inbox, reply.id), "reason").empty());
  const auto started = send(inbox, "2", "shop.ticket", "T1");
  CHECK(status_of(inbox, started.run) == "waiting");  // the hour is over
}

TEST_CASE("ingress: what its workflow refuses is a dead letter, unless a run listens for it now") {
  constexpr const char* picky = R"(
document: {dsl: '1.0.3', namespace: shop, name: picky, version: '1.0.0'}
schedule: {on: {one: {with: {type: shop.reply}}}}
input: {schema: {format: json, document: {type: array, items: {required: [weight]}}}}
do:
  - a: {set: {x: 1}}
)";
  Inbox inbox;
  REQUIRE(inbox.engine->install(default_tenant(), {{"ticket.yaml", ticket}, {"picky.yaml", picky}})
              .empty());
  const auto refused = send(inbox, "1", "shop.reply", "T1");
  CHECK(refused.status == "dead_letter");
  CHECK(refused.reason.find("AIOS-1011") != std::string::npos);
  const auto started = send(inbox, "2", "shop.ticket", "T1");
  CHECK(status_of(inbox, started.run) == "waiting");  // it was not kept
  const auto taken = send(inbox, "3", "shop.reply", "T1");
  CHECK(taken.status == "accepted");
  CHECK(taken.delivered == started.run);
}

}  // namespace aios::ingress
