// SPDX-License-Identifier: Apache-2.0
#include "workflow/search.h"

#include "workflow/test/world.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

namespace aios::workflow {
namespace {

using test::Behaviour;
using test::World;

constexpr std::string_view shop = R"(document:
  dsl: '1.0.3'
  namespace: test
  name: one
  version: '1.0.0'
  metadata:
    aios:
      searchAttributes:
        intent: '${ $context.intent // .intent }'
        amount: {type: number, value: '${ .amount }'}
        urgent: {type: boolean, value: '${ .urgent }'}
        ordered: {type: time, value: '${ .ordered }'}
        outcome: '${ $output.outcome }'
do:
  - look:
      set: {intent: '${ .told // .intent }'}
      export: {as: '${ . }'}
  - act:
      call: 'system:1.0.0@default'
      with: {class: key, value: 1}
  - done:
      set: {outcome: paid}
)";

std::vector<AttributeInfo> declared_here() {
  return {{"intent", AttributeType::text},
          {"amount", AttributeType::number},
          {"urgent", AttributeType::boolean},
          {"ordered", AttributeType::time},
          {"outcome", AttributeType::text}};
}

struct Found : World {
  explicit Found(std::string_view document = shop) {
    add_document(std::string(document));
    start();
  }
  std::string ended(Json input) {
    auto id = run_workflow("one", std::move(input));
    finish(id);
    return id;
  }
  RunsFound search(RunQuestion question) {
    auto found = executor.run(engine->search(ctx(), std::move(question)));
    REQUIRE(found.ok());
    return std::move(*found);
  }
  std::vector<std::string> ids(std::string_view where, RunQuestion question = {}) {
    auto conditions = read_conditions(where, declared_here());
    REQUIRE_MESSAGE(conditions.ok(), conditions.error().text());
    question.where = std::move(*conditions);
    std::vector<std::string> out;
    for (const auto& run : search(std::move(question)).runs) {
      out.push_back(run.id);
    }
    return out;
  }
  std::uint64_t entries() {
    store::ListQuery query;
    query.kind = store::StreamKind::search_attribute;
    return executor.run(store->count(ctx(), query)).value();
  }
};

using Ids = std::vector<std::string>;

int page_of(std::string_view where) {
  const auto read = read_conditions(where, declared_here());
  return read.ok() ? 0 : read.error().page();
}

}  // namespace

TEST_CASE("search: runs are found by equal values, ranges, and several at once, newest first") {
  Found world;
  const auto a = world.ended({{"intent", "refund"}, {"amount", 80}, {"urgent", true}});
  const auto b = world.ended({{"intent", "refund"}, {"amount", 20.5}, {"urgent", false}});
  const auto c = world.ended({{"intent", "status"}, {"amount", -3}});
  CHECK(world.ids("intent=refund") == Ids{b, a});
  CHECK(world.ids("intent=refund and amount>50") == Ids{a});
  CHECK(world.ids("amount>20.5") == Ids{a});
  CHECK(world.ids("amount>=20.5") == Ids{b, a});
  CHECK(world.ids("amount<0") == Ids{c});
  CHECK(world.ids("amount<=20.5") == Ids{c, b});
  CHECK(world.ids("amount=-3") == Ids{c});
  CHECK(world.ids("intent!=refund") == Ids{c});
  CHECK(world.ids("urgent=true") == Ids{a});
  CHECK(world.ids("urgent!=true") == Ids{b});  // one without a value fits nothing
  CHECK(world.ids("intent='re'") == Ids{});
  CHECK(world.ids("outcome=paid") == Ids{c, b, a});
  CHECK(world.ids("") == Ids{c, b, a});
}

TEST_CASE("search: times compare as times, whatever their zone") {
  Found world;
  const auto early = world.ended({{"ordered", "2026-11-20T23:30:00+02:00"}});
  const auto late = world.ended({{"ordered", "2026-11-21T00:00:00Z"}});
  CHECK(world.ids("ordered<2026-11-20T22:00:00Z") == Ids{early});
  CHECK(world.ids("ordered>=2026-11-21T00:00:00Z") == Ids{late});
}

TEST_CASE("search: a value that is renewed counts as it is now, and may come back") {
  Found world;
  world.system.script = {Behaviour::hang};
  const auto id = world.run_workflow("one", {{"intent", "refund"}, {"told", "status"}});
  world.executor.advance(std::chrono::milliseconds(200));
  CHECK(world.ids("intent=status") == Ids{id});
  CHECK(world.ids("intent=refund") == Ids{});
  CHECK(world.view(id).attributes == Json{{"intent", "status"}});
  world.system.release_hanging();
}

TEST_CASE("search: what was found before a power cut is found after it") {
  Found world;
  const auto id = world.ended({{"intent", "refund"}, {"amount", 80}});
  world.system.script = {Behaviour::hang};
  const auto open = world.run_workflow("one", {{"intent", "refund"}, {"amount", 90}});
  world.executor.advance(std::chrono::milliseconds(200));
  const auto before = world.entries();
  world.crash();
  world.start();
  CHECK(world.ids("intent=refund and amount>50") == Ids{open, id});
  CHECK(world.entries() == before);
  world.finish(open);
  CHECK(world.ids("outcome=paid") == Ids{open, id});
  CHECK(world.entries() == before + 1);  // each value once, whatever was done again
}

TEST_CASE("search: status, error, step and the times of a run narrow it") {
  Found world;
  const auto first = world.ended({{"intent", "refund"}});
  const Time between = world.executor.clock().now() + std::chrono::hours(1);
  world.executor.advance(std::chrono::hours(2));
  world.system.script = {Behaviour::refuse};
  const auto second = world.ended({{"intent", "refund"}});
  REQUIRE(world.view(second).status == "faulted");
  const auto asked = [](auto set) {
    RunQuestion question;
    set(question);
    return question;
  };
  CHECK(world.ids("intent=refund", asked([](auto& q) { q.status = "faulted"; })) == Ids{second});
  CHECK(world.ids("intent=refund", asked([](auto& q) { q.step = "act"; })) == Ids{second});
  CHECK(world.ids("intent=refund", asked([](auto& q) { q.step = "done"; })) == Ids{});
  CHECK(world.ids("intent=refund", asked([&](auto& q) { q.before = between; })) == Ids{first});
  CHECK(world.ids("", asked([&](auto& q) { q.from = between; })) == Ids{second});
  CHECK(world.ids("", asked([&](auto& q) { q.until = between; })) == Ids{first});
  CHECK(world.ids("", asked([&](auto& q) { q.since = between; })) == Ids{second});
  CHECK(world.ids("", asked([](auto& q) { q.workflow = "test/other"; })) == Ids{});
}

TEST_CASE("search: pages go on where the last one ended, and together hold each run once") {
  Found world;
  Ids all;
  for (int i = 0; i < 25; ++i) {
    all.insert(all.begin(),
               world.ended({{"intent", i % 5 == 0 ? "status" : "refund"}, {"amount", i}}));
  }
  for (const char* where : {"intent=refund", "amount>=0", "amount>=0 and intent!=status", ""}) {
    Ids seen;
    RunQuestion question;
    question.limit = 7;
    question.where = read_conditions(where, declared_here()).value();
    for (int page = 0; page < 10; ++page) {
      auto found = world.search(question);
      CHECK_FALSE(found.cut);
      for (const auto& run : found.runs) {
        seen.push_back(run.id);
      }
      question.after = found.next;
      if (found.next.empty()) {
        break;
      }
    }
    Ids wanted;
    for (const auto& id : all) {
      const bool refund = world.view(id).attributes.at("intent") == "refund";
      if (refund || std::string_view(where) == "amount>=0" || std::string_view(where).empty()) {
        wanted.push_back(id);
      }
    }
    CHECK(seen == wanted);
  }
}

TEST_CASE("search: another tenant's runs are not found, nor those of an erased subject") {
  Found world;
  StartRequest request;
  request.workflow = "one";
  request.input = JsonObject{{"intent", "refund"}};
  request.subject = "ann";
  const auto id = world.executor.run(world.engine->start(world.ctx(), request)).value();
  world.finish(id);
  CHECK(world.ids("intent=refund") == Ids{id});
  const auto other = system_context(TenantId::parse("globex").value(), "test");
  RunQuestion question;
  question.where = read_conditions("intent=refund", declared_here()).value();
  CHECK(world.executor.run(world.engine->search(other, question)).value().runs.empty());
  REQUIRE(world.entries() == 2);
  REQUIRE(world.executor.run(world.store->erase_subject(world.ctx(), "ann")).ok());
  CHECK(world.ids("intent=refund") == Ids{});
  CHECK(world.entries() == 0);  // they stood in clear
}

TEST_CASE("search: a document without search attributes writes no index") {
  Found world(std::string(test::head_text) + "do:\n  - a: {set: {b: 1}}\n");
  world.ended(JsonObject());
  CHECK(world.entries() == 0);
}

TEST_CASE("search: a value of another type, or too many of them, is left out") {
  Found world;
  const auto id = world.ended({{"intent", 7}, {"amount", "much"}, {"urgent", "yes"}});
  CHECK(world.view(id).attributes == Json{{"outcome", "paid"}});
  const auto longer = world.ended({{"intent", std::string(300, 'x')}});
  CHECK(world.ids("intent=" + std::string(120, 'x')) == Ids{longer});  // both are kept so far
}

TEST_CASE("search: a condition that cannot be read says what was found and wanted") {
  CHECK(page_of("intent=refund") == 0);
  CHECK(page_of("intent = 'a b' AND amount <= -1.5e3 and ordered>2026-11-20T22:00:00Z") == 0);
  CHECK(page_of("intent='it''s'") == 0);
  for (const char* wrong : {"intent", "intent=", "=refund", "intent=refund or amount>5",
                            "intent=refund amount>5", "intent~refund", "intent='open", "5>amount",
                            "intent==refund", "intent=refund and", "(intent=refund)"}) {
    CAPTURE(wrong);
    CHECK(page_of(wrong) == 1070);
  }
  CHECK(page_of("intend=refund") == 1071);
  CHECK(read_conditions("intend=refund", declared_here()).error().text().find("'intent'") !=
        std::string::npos);
  for (const char* wrong : {"amount=much", "urgent=yes", "intent>a", "urgent<true",
                            "ordered=yesterday", "amount=nan", "intent=''"}) {
    CAPTURE(wrong);
    CHECK(page_of(wrong) == 1073);
  }
  std::string many = "amount>1";
  for (int i = 0; i < 8; ++i) {
    many += " and amount>1";
  }
  CHECK(page_of(many) == 1074);
  const std::vector<AttributeInfo> two = {{"size", AttributeType::text},
                                          {"size", AttributeType::number}};
  CHECK(read_conditions("size=4", two).error().page() == 1072);
}

TEST_CASE("search: a declaration that cannot be kept is told with its place") {
  const auto errors_of = [](const std::string& attributes) {
    FunctionRegistry functions;
    return Engine::check({{"one.yaml",
                           "document:\n  dsl: '1.0.3'\n  namespace: t\n  name: one\n"
                           "  version: '1.0.0'\n  metadata:\n    aios:\n"
                           "      searchAttributes:\n" +
                               attributes + "do:\n  - a: {set: {b: 1}}\n"}},
                         functions);
  };
  CHECK(errors_of("        a: '${ .a }'\n").empty());
  for (const char* wrong : {"        a: {type: date, value: '${ .a }'}\n",
                            "        1a: '${ .a }'\n", "        a: 5\n"}) {
    const auto errors = errors_of(wrong);
    REQUIRE(errors.size() == 1);
    CHECK(errors[0].page() == 1075);
    CHECK(errors[0].line() == 9);
  }
  std::string many;
  for (int i = 0; i < 9; ++i) {
    many += fmt::format("        a{}: '${{ .a }}'\n", i);
  }
  REQUIRE(errors_of(many).size() == 1);
  CHECK(errors_of(many)[0].page() == 1075);
  CHECK(errors_of("        a: '${ $inputs }'\n")[0].page() == 1005);
}

}  // namespace aios::workflow
