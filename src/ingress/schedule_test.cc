// SPDX-License-Identifier: Apache-2.0
#include "ingress/detail/schedule.h"

#include "ingress/test/inbox.h"

#include <string>
#include <vector>

namespace aios::ingress {
namespace {

SourceFile minutely(const std::string& more = "") {
  return {"sources/tick.yaml",
          "kind: schedule\nname: tick\nevery: PT1M\n" + more + "event: {type: shop.odrer}\n"};
}

struct Clockwork : test::Inbox {
  Clockwork() { restart(); }
  /// What is in memory is gone, what is in the store is not.
  void restart() {
    SourceServices services;
    services.ingress = ingress.get();
    services.sources = &sources;
    services.store = store.get();
    services.log = &log;
    scheduler = std::make_unique<Scheduler>(services);
  }
  std::uint64_t after(Duration pause) {
    executor.advance(pause);
    return executor.run(scheduler->round(Context()));
  }
  std::vector<Json> events() {
    std::vector<Json> out;
    Ingress::Wanted wanted;
    wanted.limit = 1'000;
    const auto ctx = system_context(default_tenant(), "test");
    auto rows = executor.run(ingress->list(ctx, wanted));
    REQUIRE(rows.ok());
    for (auto row = rows->rbegin(); row != rows->rend(); ++row) {
      auto event = executor.run(ingress->get(ctx, row->id));
      REQUIRE(event.ok());
      out.push_back(event->at("event"));
    }
    return out;
  }
  std::unique_ptr<Scheduler> scheduler;
};

}  // namespace

TEST_CASE("schedule: a new one begins now, and each firing has an id of its time") {
  Clockwork works;
  works.install("shop.odrer");
  works.declare({minutely()});
  CHECK(works.after(Duration(0)) == 0);
  CHECK(works.after(std::chrono::seconds(61)) == 1);
  CHECK(works.after(std::chrono::seconds(1)) == 0);
  CHECK(works.after(std::chrono::seconds(60)) == 1);
  const auto events = works.events();
  REQUIRE(events.size() == 2);
  const std::string scheduled(text_or(events[0].at("data"), "scheduled", ""));
  CHECK(scheduled.ends_with(":00Z"));
  CHECK(text_or(events[0], "id", "") == "tick@" + scheduled);
  CHECK(text_or(events[0], "source", "") == "/schedules/tick");
}

TEST_CASE("schedule: a firing whose id is taken is a dead letter, and the schedule moves on") {
  Clockwork works;
  works.install("shop.odrer");
  works.declare(
      {{"sources/tick.yaml",
        "kind: schedule\nname: tick\nevery: PT1M\nevent: {type: shop.odrer, id: one}\n"}});
  works.after(Duration(0));
  CHECK(works.after(std::chrono::seconds(61)) == 1);
  CHECK(works.after(std::chrono::seconds(60)) == 1);
  CHECK(works.after(std::chrono::seconds(60)) == 1);
  Ingress::Wanted wanted;
  wanted.status = "dead_letter";
  const auto dead = works.executor.run(
      works.ingress->list(system_context(default_tenant(), "test"), std::move(wanted)));
  REQUIRE(dead.ok());
  CHECK(dead->size() == 2);
  CHECK(dead_letter_of(dead->front()).page == 1203);
  CHECK(works.events().size() == 3);
}

TEST_CASE("schedule: of what was missed the last is fired, or none, or all up to a bound") {
  const std::pair<const char*, std::size_t> rules[] = {
      {"", 1}, {"missed: none\n", 0}, {"missed: all\nmissed_max: 7\n", 7}};
  for (const auto& [rule, count] : rules) {
    CAPTURE(rule);
    Clockwork works;
    works.install("shop.odrer");
    works.declare({minutely(rule)});
    works.after(Duration(0));
    works.restart();  // an hour and a half of nobody there, and half a period
    const auto slept = std::chrono::minutes(90) + std::chrono::seconds(30);
    works.executor.advance(slept);
    if (std::string_view(rule) == "missed: none\n") {
      works.declare({{"sources/tick.yaml",
                      "kind: schedule\nname: tick\nevery: PT1H\nmissed: none\n"
                      "event: {type: shop.odrer}\n"}});
      works.after(Duration(0));
      works.restart();
      works.executor.advance(std::chrono::minutes(70));
    }
    works.executor.run(works.scheduler->round(Context()));
    CHECK(works.events().size() == count);
  }
}

TEST_CASE("schedule: a restart fires nothing twice, also when the event came without its mark") {
  Clockwork works;
  works.install("shop.odrer");
  works.declare({minutely("missed: all\n")});
  works.after(Duration(0));
  CHECK(works.after(std::chrono::minutes(5)) == 5);
  works.restart();
  CHECK(works.after(Duration(0)) == 0);
  CHECK(works.events().size() == 5);
}

TEST_CASE("schedule: one that a clock fired too early goes on from now, when the clock is right") {
  Clockwork works;
  works.install("shop.odrer");
  works.declare({minutely()});
  works.after(Duration(0));
  CHECK(works.after(std::chrono::minutes(1)) == 1);
  const auto ctx = system_context(default_tenant(), "test");
  auto row = works.executor.run(
      works.store->stream(ctx, store::StreamKind::source_place, "schedule/tick"));
  REQUIRE(row.ok());
  auto state = parse_json(row->state).value();  // as a clock nine days ahead leaves it
  state.get_object()["fired"] =
      to_rfc3339(works.executor.clock().now() + std::chrono::hours(24 * 9));
  store::Transition ahead;
  ahead.tenant = default_tenant();
  ahead.epoch = works.store->epoch();
  store::StreamWrite write;
  write.kind = store::StreamKind::source_place;
  write.id = "schedule/tick";
  write.expected_version = row->version;
  write.state = store::Payload{"", to_text(state)};
  write.status = "schedule";
  ahead.streams.push_back(std::move(write));
  REQUIRE(works.executor.run(works.store->commit(ctx, std::move(ahead))).ok());
  works.restart();
  CHECK(works.after(Duration(0)) == 0);
  CHECK(works.after(std::chrono::minutes(1)) == 1);
  works.restart();
  CHECK(works.after(std::chrono::minutes(1)) == 1);
}

TEST_CASE("schedule: one whose times change begins anew, one that says something else goes on") {
  Clockwork works;
  works.install("shop.odrer");
  works.declare({minutely()});
  works.after(Duration(0));
  works.executor.advance(std::chrono::minutes(10));
  works.declare({{"sources/tick.yaml",
                  "kind: schedule\nname: tick\ncron: '* * * * *'\nevent: {type: shop.odrer}\n"}});
  CHECK(works.after(Duration(0)) == 0);
  works.executor.advance(std::chrono::minutes(10));
  works.declare({{"sources/tick.yaml",
                  "kind: schedule\nname: tick\ncron: '* * * * *'\nevent: {type: shop.other}\n"}});
  CHECK(works.after(Duration(0)) == 1);
}

TEST_CASE("schedule: what policy refuses is told of and not asked again, what may pass is") {
  Clockwork works;
  works.install("shop.odrer");
  works.declare({minutely("missed: all\n")});
  works.after(Duration(0));
  works.held = default_tenant();
  CHECK(works.after(std::chrono::minutes(2)) == 0);
  CHECK(works.lines.size() == 1);
  works.held.reset();
  CHECK(works.after(std::chrono::seconds(10)) == 2);  // from where it stands in the store
  CHECK(works.events().size() == 2);
  REQUIRE(works.guard
              .load(default_tenant(),
                    {{"policies/e.rego",
                      "package aios.event_admit\nimport rego.v1\ndefault allow := false\n"}},
                    JsonObject())
              .ok());
  const auto before = works.events().size();
  CHECK(works.after(std::chrono::minutes(1)) == 1);  // moved on
  works.open_to(default_tenant());
  works.after(std::chrono::seconds(10));
  CHECK(works.events().size() == before);
}

TEST_CASE("schedule: a year of nobody there is looked through in no time") {
  Clockwork works;
  works.declare({minutely("missed: all\nmissed_max: 3\n")});
  const auto source = works.sources.find(default_tenant(), "tick");
  REQUIRE(source);
  const auto& schedule = static_cast<const Schedule&>(*source->settings);
  const Time now{std::int64_t{1'700'000'000} * 1'000'000'000};
  const auto due = schedule.due(now - std::chrono::hours(24 * 365), now);
  REQUIRE(due.size() == 3);
  CHECK(due[2] <= now);
  CHECK(due[2] - due[0] == std::chrono::minutes(2));
}

}  // namespace aios::ingress
