// SPDX-License-Identifier: Apache-2.0
#include "gateway/gateway.h"

#include "core/test/plugins.h"
#include "store/test/memory.h"

#include <doctest/doctest.h>

#include <set>

namespace aios::gateway {
namespace {

constexpr const char* policies = R"(package aios.pre_model_call
import rego.v1
allow := true
)";
constexpr const char* after_policy = R"(package aios.post_model_call
import rego.v1
allow := true
)";
constexpr const char* promotion_policy = R"(package aios.model_promote
import rego.v1
allow := true
)";

Context person(const std::string& id) {
  auto principal = std::make_shared<Principal>();
  principal->id = id;
  principal->kind = "key";
  Context ctx;
  ctx.tenant = default_tenant();
  ctx.principal = std::move(principal);
  return ctx;
}

/// A registry in which "fruit@1" serves the alias "intent".
struct Installation {
  runtime::Shards shards{1};
  std::unique_ptr<store::Store> store;
  govern::Guard guard;
  observe::Metrics metrics;
  std::unique_ptr<runtime::BlockingPool> pool = std::make_unique<runtime::BlockingPool>(1);
  std::unique_ptr<models::Models> models;

  Installation() {
    const auto loaded = guard.load(
        default_tenant(),
        {{"pre.rego", policies}, {"post.rego", after_policy}, {"promote.rego", promotion_policy}},
        JsonObject{});
    REQUIRE(loaded.ok());
    store = store::test::open_memory(std::make_shared<store::MemoryDisk>(), runtime::system_clock(),
                                     store::MemoryThreads::own);
    models = std::make_unique<models::Models>(*store, guard, *pool, runtime::system_clock());
    models::ModelSpec spec;
    spec.name = "fruit";
    const std::vector<models::Example> examples = {{"apples and pears", "fruit"},
                                                   {"ripe apples", "fruit"},
                                                   {"carrots and beets", "roots"},
                                                   {"fresh carrots", "roots"}};
    const std::vector<models::Example> heldout = {{"pears, apples", "fruit"},
                                                  {"beets or carrots", "roots"}};
    REQUIRE(run(models->train(person("key_a"), spec, examples, heldout)).ok());
    REQUIRE(run(models->promote(person("key_b"), "fruit", 1, "intent", {})).ok());
  }
  ~Installation() { pool.reset(); }
  Installation(const Installation&) = delete;
  Installation& operator=(const Installation&) = delete;
  template <class T>
  T run(Task<T> task) {
    return shards.run(0, std::move(task));
  }
};

TEST_CASE("embedded: answers with label, confidence, version, reasons and scores") {
  Installation here;
  Gateway gateway(here.guard, *here.models, here.metrics, runtime::system_clock());
  InferRequest request;
  request.alias = "intent";
  request.input = JsonObject{{"text", "some apples please"}};
  const auto answer = here.run(gateway.infer(person("key_c"), std::move(request)));
  REQUIRE(answer.ok());
  CHECK(text_or(answer->output, "label", "") == "fruit");
  CHECK(number_or(answer->output, "confidence", 0) > 0.5);
  CHECK(text_or(answer->output, "version", "") == "fruit@1");
  const Json* term = at_pointer(answer->output, "/reasons/0/term");
  REQUIRE(term != nullptr);
  CHECK(*term == "apples");
  const Json* second = at_pointer(answer->output, "/scores/1/label");
  REQUIRE(second != nullptr);
  CHECK(*second == "roots");
  REQUIRE(answer->leaves.size() == 1);
  CHECK(answer->leaves[0].bytes.find(R"("region":"local")") != std::string::npos);
}

TEST_CASE("embedded: an input without text is refused with its page") {
  Installation here;
  Gateway gateway(here.guard, *here.models, here.metrics, runtime::system_clock());
  for (const char* input : {R"({})", R"({"text": 7})", R"("text")", "null"}) {
    CAPTURE(input);
    InferRequest request;
    request.alias = "intent";
    request.input = *parse_json(input);
    const auto answer = here.run(gateway.infer(person("key_c"), std::move(request)));
    REQUIRE(!answer.ok());
    CHECK(answer.error().page() == 800);
    CHECK(answer.refusal().leaves.size() == 1);
  }
}

TEST_CASE("providers: every one has a name, a summary, a region, and refuses unknown options") {
  Installation here;
  ProviderRegistry registry;
  register_all_providers(registry);
  REQUIRE(!registry.entries().empty());
  std::set<std::string> names;
  ProviderServices services;
  services.models = here.models.get();
  for (const ProviderEntry& entry : registry.entries()) {
    CAPTURE(entry.name);
    CHECK(names.insert(entry.name).second);
    CHECK(entry.summary.ends_with('.'));
    Json unknown = *parse_json(entry.example);
    unknown.get_object()["no such option"] = 1;
    const auto odd = entry.make(services, unknown);
    REQUIRE(!odd.ok());
    CHECK(odd.error().code() == Code::invalid_argument);
    CHECK(odd.error().message().find("no such option") != std::string::npos);
    auto made = entry.make(services, *parse_json(entry.example));
    REQUIRE(made.ok());
    CHECK((*made)->name() == entry.name);
    CHECK(!(*made)->region().empty());
    const auto nothing = (*made)->resolve(person("key_c"), "nobody-has-this-alias");
    REQUIRE(!nothing.ok());
    CHECK(nothing.error().code() == Code::not_found);
  }
  CHECK(names == aios::test::plugin_files("gateway/providers"));
}

TEST_CASE("providers: one that is told another version than serves says so") {
  Installation here;
  ProviderRegistry registry;
  register_all_providers(registry);
  ProviderServices services;
  services.models = here.models.get();
  for (const ProviderEntry& entry : registry.entries()) {
    CAPTURE(entry.name);
    auto provider = entry.make(services, *parse_json(entry.example));
    REQUIRE(provider.ok());
    const Context ctx = person("key_c");
    JsonObject facts = {{"model", {{"region", "local"}}}};
    auto ruling = here.guard.ask(ctx, govern::GuardPoint::pre_model_call, std::move(facts));
    REQUIRE(ruling.allowed());
    ProviderCall call{"intent", "fruit", "99", JsonObject{{"text", "apples"}}};
    const auto answer =
        here.run((*provider)->complete(ctx, *std::move(ruling.permit), std::move(call)));
    CHECK(answer.outcome == Outcome::failed);
    REQUIRE(answer.error);
    CHECK(answer.error->code() == Code::aborted);
  }
}

TEST_CASE("providers: a permit of another tenant opens none of them") {
  Installation here;
  const TenantId acme = TenantId::parse("acme").value();
  REQUIRE(here.guard.load(acme, {{"pre.rego", policies}}, JsonObject{}).ok());
  ProviderRegistry registry;
  register_all_providers(registry);
  ProviderServices services;
  services.models = here.models.get();
  for (const ProviderEntry& entry : registry.entries()) {
    CAPTURE(entry.name);
    auto provider = entry.make(services, *parse_json(entry.example));
    REQUIRE(provider.ok());
    JsonObject facts = {{"model", {{"region", "local"}}}};
    auto ruling = here.guard.ask(system_context(acme, "test"), govern::GuardPoint::pre_model_call,
                                 std::move(facts));
    REQUIRE(ruling.allowed());
    ProviderCall call{"intent", "fruit", "1", JsonObject{{"text", "apples"}}};
    const auto answer = here.run(
        (*provider)->complete(person("key_c"), *std::move(ruling.permit), std::move(call)));
    CHECK(answer.outcome == Outcome::failed);
    REQUIRE(answer.error);
    CHECK(answer.error->code() == Code::internal);
  }
}

}  // namespace
}  // namespace aios::gateway
