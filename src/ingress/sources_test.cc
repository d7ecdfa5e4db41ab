// SPDX-License-Identifier: Apache-2.0
// What must hold for every source of events, by running over the entries.
#include "ingress/sources.h"
#include "core/test/plugins.h"

#include <doctest/doctest.h>

#include <set>
#include <string>

namespace aios::ingress {

TEST_CASE("sources: each is called like its file and says in a sentence what it takes") {
  SourceRegistry registry;
  register_all_sources(registry);
  std::set<std::string> names;
  for (const SourceEntry& entry : registry.entries()) {
    CAPTURE(entry.name);
    CHECK(names.insert(entry.name).second);
    CHECK(entry.summary.ends_with('.'));
    CHECK((entry.mount != nullptr || entry.run != nullptr));
    CHECK(entry.form.empty() == (entry.read == nullptr));
  }
  CHECK(names == aios::test::plugin_files("ingress/sources"));
}

namespace {

SourceFile shop_source() {
  return {"sources/shop.yaml",
          "kind: webhook\n"
          "name: shop\n"
          "secrets: [shop-webhook]\n"
          "event:\n"
          "  id: '${ .body.id }'\n"
          "  type: '${ \"com.example.\" + .body.kind }'\n"
          "  source: '${ $params.where }'\n"
          "  subject: '${ .body.customer }'\n"
          "  partitionkey: '${ .body.customer }'\n"
          "  data: {order: '${ .body.order }', always: true}\n"
          "schema:\n"
          "  type: object\n"
          "  required: [order]\n"
          "  properties: {order: {type: string}}\n"};
}

Delivery delivered(const char* body, const SourceFile& file = shop_source()) {
  const auto checked = Sources::check(default_tenant(), {file}, {{"where", "/shop"}});
  REQUIRE(checked.errors.empty());
  Arrival arrival;
  arrival.seen = JsonObject{{"body", parse_json(body).value()}};
  arrival.defaults = {{"id", "default-id"}, {"source", "/hooks/shop"}};
  return delivery_of(*checked.sources.at(0), std::move(arrival), Time{});
}

std::vector<Error> errors_of(std::string text) {
  return Sources::check(default_tenant(), {{"sources/x.yaml", std::move(text)}}, {}).errors;
}

}  // namespace

TEST_CASE("sources: a mapping makes the event, with parameters, and drops what is null") {
  const auto good = delivered(R"({"id": 7, "kind": "paid", "customer": "CUS-1", "order": "A-1"})");
  CHECK(good.unfit == "");
  CHECK_FALSE(good.unmapped);
  CHECK(good.event.id == "7");  // a number in the sender's document
  CHECK(good.event.type == "com.example.paid");
  CHECK(good.event.source == "/shop");
  CHECK(good.event.subject == "CUS-1");
  CHECK(text_or(good.event.envelope, "partitionkey", "") == "CUS-1");
  CHECK(good.event.envelope.at("data") == Json(JsonObject{{"order", "A-1"}, {"always", true}}));
  const auto none = delivered(R"({"id": null, "kind": "paid", "customer": null, "order": "A"})");
  CHECK(none.unmapped);  // an event has an id
  CHECK(none.unfit.find("[AIOS-1208]") != std::string::npos);
}

TEST_CASE("sources: data are what the mapping names, else what arrived, else there are none") {
  const auto data_of = [](const char* event) -> Json {
    const SourceFile file{"sources/shop.yaml",
                          std::string("kind: webhook\nname: shop\nsecrets: [a]\nevent: ") + event};
    const auto checked = Sources::check(default_tenant(), {file}, {});
    REQUIRE(checked.errors.empty());
    Arrival arrival;
    arrival.seen = JsonObject{{"body", JsonObject{{"number", 7}}}};
    arrival.defaults = {{"id", "m-1"}, {"source", "/hooks/shop"}};
    arrival.data_member = "body";
    const auto made = delivery_of(*checked.sources.at(0), std::move(arrival), Time{});
    CHECK_FALSE(made.unmapped);
    const Json* data = made.event.envelope.if_contains("data");
    return data == nullptr ? Json() : *data;
  };
  CHECK(data_of("{type: a}") == Json(JsonObject{{"number", 7}}));
  CHECK(data_of("{type: a, data: '${ .body.number }'}") == Json(7));
  CHECK(data_of("{type: a, data: null}").is_null());
}

TEST_CASE("sources: what cannot be mapped or does not fit the schema is kept with the reason") {
  const auto misfit = delivered(R"({"id": "7", "kind": "paid", "order": 3})");
  CHECK(misfit.event.type == "com.example.paid");
  CHECK(misfit.unfit.find("[AIOS-1209]") != std::string::npos);
  CHECK(misfit.event.subject == "");
  const auto lost = delivered(R"({"id": "7", "kind": 3})");
  CHECK(lost.unmapped);
  CHECK(lost.event.id == "default-id");
  CHECK(lost.event.source == "/hooks/shop");
  CHECK(lost.event.type == unmapped_type);
  CHECK(to_text(lost.arrived).find(R"("kind":3)") != std::string::npos);
}

TEST_CASE("sources: every mistake of a file is told with its place") {
  const auto all =
      errors_of("kind: webhook\nname: Shop!\nsecrets: []\ntolerance: PT5M\nsecret: x\nevent: {}\n");
  REQUIRE(all.size() == 4);
  for (const Error& error : all) {
    CHECK(error.page() == 1220);
    CHECK(error.file() == "sources/x.yaml");
    CHECK(error.line() > 1);
  }
  CHECK(all[0].message() == "'secret' is not known here; did you mean 'secrets'?");
  CHECK(all[0].line() == 5);
  const auto kind = errors_of("kind: webhok\nname: a\n");
  REQUIRE(kind.size() == 1);
  CHECK(kind[0].message().find("did you mean 'webhook'?") != std::string::npos);
  const auto jq =
      errors_of("kind: webhook\nname: a\nsecrets: [b]\nevent:\n  type: a\n  id: '${ .body. | }'\n");
  REQUIRE(jq.size() == 1);
  CHECK(jq[0].page() == 107);
  CHECK(jq[0].line() == 6);
  const auto late =
      errors_of("kind: webhook\nname: a\nsecrets: [b]\ntolerance: P1D\nevent: {type: a}\n");
  REQUIRE(late.size() == 1);
  CHECK(late[0].line() == 4);
  for (const char* rate : {"0", "1000001", "1.5", "many"}) {
    const auto wrong = errors_of(
        fmt::format("kind: webhook\nname: a\nsecrets: [b]\nrate: {}\nevent: {{type: a}}\n", rate));
    REQUIRE(wrong.size() == 1);
    CHECK(wrong[0].page() == 1220);
    CHECK(wrong[0].line() == 4);
  }
  CHECK(errors_of("- a\n").size() == 1);
}

TEST_CASE("sources: a mapping that runs for ever ends, and the arrival is kept") {
  auto file = shop_source();
  file.text =
      "kind: webhook\nname: a\nsecrets: [b]\nevent:\n  type: '${ [range(1e9)] | length }'\n";
  const auto endless = delivered("{}", file);
  CHECK(endless.unmapped);
}

TEST_CASE("sources: staged ones replace the tenant's, and none of them on an error") {
  Sources sources;
  sources.stage(default_tenant(), {shop_source()}, {{"where", "/a"}}).put();
  const auto before = sources.find(default_tenant(), "shop");
  REQUIRE(before);
  auto twice =
      sources.stage(default_tenant(), {shop_source(), {"sources/two.yaml", shop_source().text}},
                    {{"where", "/b"}});
  REQUIRE(twice.errors.size() == 1);
  CHECK(twice.errors[0].file() == "sources/two.yaml");
  CHECK_FALSE(static_cast<bool>(twice.put));
  CHECK(sources.find(default_tenant(), "shop") == before);
  sources.stage(default_tenant(), {}, {}).put();
  CHECK_FALSE(sources.find(default_tenant(), "shop"));
  CHECK(text_or(before->params, "where", "") == "/a");  // who has it goes on with it
}

}  // namespace aios::ingress
