// SPDX-License-Identifier: Apache-2.0
// Calls that cost money: reserved with the intent, settled with the result, never above a budget.
#include "gateway/hosted.h"
#include "workflow/test/world.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <deque>

namespace aios::workflow {
namespace {

using test::has;
using test::World;

constexpr const char* policies = R"(package aios.pre_model_call
import rego.v1
allow := true
)";
constexpr const char* policies_after = R"(package aios.post_model_call
import rego.v1
allow := true
)";
constexpr const char* options = R"({"name": "second", "region": "us", "secret": "key",
  "url": "http://127.0.0.1:1/v1", "model": "small-1", "labels": ["refund", "other"]})";
constexpr const char* good_body = R"({"model": "small-1-b", "choices": [{"finish_reason": "stop",
  "message": {"content": "{\"label\": \"refund\", \"confidence\": 0.5}"}}],
  "usage": {"prompt_tokens": 40, "completion_tokens": 10}})";
constexpr std::int64_t price_of_one = 40 * 1000 + 10 * 2000;

constexpr const char* document = R"(document:
  dsl: '1.0.3'
  namespace: test
  name: one
  version: '1.0.0'
do:
  - ask:
      try:
        - infer:
            call: infer:1.0.0@default
            with: {model: second, input: {text: where is my refund}}
      catch:
        errors: {with: {status: 402}}
        do:
          - poor: {set: {label: nobody}}
)";

/// Counts what it receives, and answers after a while.
class Vendor final : public net::Client {
 public:
  int received = 0;
  std::deque<int> script;  ///< status of the next answers, 0: refused; empty: good ones
  Duration takes = std::chrono::milliseconds(50);
  Task<Result<net::Response>> send(Context ctx, net::ClientRequest /*request*/) override {
    ++received;
    net::Response response;
    response.body = good_body;
    if (!script.empty() && script.front() == 0) {
      script.pop_front();
      co_return Error(Code::unavailable, "connection refused", Retry::same_call).page(312);
    }
    if (!script.empty()) {
      response.status = script.front();
      response.body = "{}";
      script.pop_front();
    }
    auto rested = co_await runtime::sleep_for(ctx, takes);
    if (!rested.ok()) {
      co_return Error(Code::deadline_exceeded, "too slow", Retry::whole_step);
    }
    co_return response;
  }
};

struct Desk {
  govern::Budgets budgets;
  observe::Metrics metrics;
  Vendor vendor;
  std::unique_ptr<gateway::Hosted> hosted;
  World world;  // its calls use what stands above

  explicit Desk(std::int64_t limit_nano = 1'000'000'000) {
    const std::vector<govern::PolicyFile> files{{"pre.rego", policies},
                                                {"post.rego", policies_after}};
    REQUIRE(world.guard.load(default_tenant(), files, JsonObject()).ok());
    world.guard.set_region(default_tenant(), "eu");
    grant(limit_nano);
    gateway::HostedServices services;
    services.guard = &world.guard;
    services.budgets = &budgets;
    services.client = &vendor;
    services.secret = [](const TenantId&, std::string_view) { return std::string("s3cret"); };
    services.metrics = &metrics;
    services.clock = &world.executor.clock();
    hosted = std::make_unique<gateway::Hosted>(std::move(services));
    REQUIRE(hosted->load(default_tenant(), {model()}).ok());
    register_all_functions(world.registry);
    world.services.functions.hosted = hosted.get();
    world.services.metrics = &metrics;
    world.add_document(document);
    world.start();
  }
  void grant(std::int64_t limit_nano) {
    govern::BudgetSpec budget;
    budget.name = "models";
    budget.currency = "EUR";
    budget.window = govern::BudgetWindow::month;
    budget.limit_nano = limit_nano;
    REQUIRE(budgets.load(default_tenant(), {budget}).ok());
  }
  static gateway::HostedModel model() {
    gateway::HostedModel out;
    out.alias = "second";
    out.provider = "openai";
    out.options = *parse_json(options);
    out.price = {"EUR", 1'000'000'000, 2'000'000'000};  // 1,000 and 2,000 nano a token
    return out;
  }
  /// What one call reserves.
  std::int64_t most() {
    gateway::InferRequest request;
    request.alias = "second";
    request.input = JsonObject{{"text", "where is my refund"}};
    auto admitted = hosted->admit(world.ctx(), std::move(request), "test/one");
    REQUIRE(admitted.ok());
    return admitted->payment.reservation.amount_nano;
  }
  govern::BudgetState budget() {
    auto states = world.executor.run(
        budgets.list(world.ctx(), world.store.get(), world.executor.clock().now()));
    REQUIRE(states.ok());
    return states->at(0);
  }
  int leaves(std::string_view kind, std::string_view outcome) {
    const auto all = world.executor.run(world.store->leaves(world.ctx(), 0, 10'000));
    REQUIRE(all.ok());
    int found = 0;
    for (const auto& leaf : *all) {
      found += has(leaf, fmt::format(R"("kind":"{}")", kind)) &&
                       has(leaf, fmt::format(R"("outcome":"{}")", outcome))
                   ? 1
                   : 0;
    }
    return found;
  }
};

std::int64_t cost_of(const RunView& view) {
  return view.cost.is_array() ? int_or(view.cost.get_array().at(0), "nano", -1) : 0;
}

}  // namespace

TEST_CASE("money: a hosted model is an effect, paid with its result, and the run says its cost") {
  Desk desk;
  const auto id = desk.world.run_workflow("one", JsonObject());
  const auto view = desk.world.finish(id);
  REQUIRE(view.status == "completed");
  CHECK(text_or(view.output, "label", "") == "refund");
  CHECK(view.cost == Json(JsonArray{JsonObject{
                         {"currency", "EUR"}, {"nano", price_of_one}, {"estimated", false}}}));
  CHECK(find(view.clear_json(), "cost") != nullptr);
  CHECK(desk.vendor.received == 1);
  CHECK(has(desk.metrics.open_metrics(), R"(aios_budget_refused_total{workflow="test/one"} 0)"));
  CHECK(desk.leaves("model_intent", "admitted") == 1);
  CHECK(desk.leaves("model_call", "done") == 1);
  CHECK(desk.budget().spent_nano == price_of_one);
  CHECK(desk.budget().reserved_nano == 0);
  CHECK(text_or(view.inferences.get_array().at(0), "alias", "") == "second");
  store::ListQuery query;
  query.tenant = default_tenant();
  query.kind = store::StreamKind::run;
  query.limit = 10;
  const auto page =
      desk.world.executor.run(desk.world.engine->list(desk.world.ctx(), query, Shown::clear));
  REQUIRE(page.ok());
  CHECK(cost_of(page->runs.at(0)) == price_of_one);
}

TEST_CASE("money: a call that no budget covers is not made, and the document catches it") {
  Desk desk(1);
  const auto id = desk.world.run_workflow("one", JsonObject());
  const auto view = desk.world.finish(id);
  REQUIRE(view.status == "completed");
  CHECK(text_or(view.output, "label", "") == "nobody");
  CHECK(view.cost.is_null());
  CHECK(desk.vendor.received == 0);
  CHECK(desk.leaves("model_intent", "admitted") == 0);
  CHECK(desk.leaves("model_intent", "over_budget") == 1);
  CHECK(desk.budget().spent_nano == 0);
  CHECK(desk.budget().reserved_nano == 0);
  CHECK(has(desk.metrics.open_metrics(), R"(aios_runs_ended_total{status="faulted"} 0)"));
  CHECK(has(desk.metrics.open_metrics(), R"(aios_budget_refused_total{workflow="test/one"} 1)"));
  REQUIRE(desk.budgets.load(default_tenant(), {}).ok());  // no budget at all
  const auto second = desk.world.run_workflow("one", JsonObject());
  CHECK(text_or(desk.world.finish(second).output, "label", "") == "nobody");
}

TEST_CASE("money: of 128 runs at once a budget for ten lets ten ask, through crashes too") {
  for (const bool crashes : {false, true}) {
    CAPTURE(crashes);
    Desk desk;
    const std::int64_t most = desk.most();
    desk.grant(10 * most + most / 2);
    std::vector<std::string> ids;
    for (int i = 0; i < 128; ++i) {
      ids.push_back(desk.world.run_workflow("one", JsonObject()));
    }
    for (int i = 0; crashes && i < 3; ++i) {
      desk.world.executor.advance(std::chrono::milliseconds(20));
      desk.world.crash();
      desk.world.start();
    }
    std::int64_t sum = 0;
    int answered = 0;
    for (const auto& id : ids) {
      const auto view = desk.world.finish(id);
      REQUIRE(view.status == "completed");
      answered += text_or(view.output, "label", "") == "refund" ? 1 : 0;
      sum += cost_of(view);
    }
    const auto budget = desk.budget();
    CHECK(budget.spent_nano + budget.reserved_nano <= budget.spec.limit_nano);
    CHECK(budget.reserved_nano == 0);
    CHECK(budget.spent_nano == sum);
    CHECK(desk.vendor.received <= 10);
    if (!crashes) {
      CHECK(answered == 10);
      CHECK(desk.vendor.received == 10);
      CHECK(desk.leaves("model_call", "done") == 10);
    }
  }
}

TEST_CASE("money: a model server that is down is waited for, at no cost and at no try") {
  Desk desk;
  for (int i = 0; i < 10; ++i) {  // more than there are retries
    desk.vendor.script.push_back(0);
  }
  const auto id = desk.world.run_workflow("one", JsonObject());
  desk.world.executor.advance(std::chrono::milliseconds(200));
  const auto waiting = desk.world.executor.run(desk.world.engine->get(desk.world.ctx(), id));
  REQUIRE(waiting.ok());
  CHECK(waiting->status == "waiting");
  CHECK(has(waiting->waiting_for, "blocked"));
  CHECK(desk.budget().reserved_nano == 0);
  const auto view = desk.world.finish(id);
  CHECK(view.status == "completed");
  CHECK(text_or(view.output, "label", "") == "refund");
  CHECK(cost_of(view) == price_of_one);
}

TEST_CASE("money: an attempt whose end nobody saw counts as spent, and the next is paid anew") {
  Desk desk;
  const std::int64_t most = desk.most();
  const auto id = desk.world.run_workflow("one", JsonObject());
  CHECK(desk.budget().reserved_nano == most);  // asked, not answered yet
  desk.world.executor.advance(std::chrono::milliseconds(20));
  CHECK(desk.vendor.received == 1);
  desk.world.crash();
  desk.world.start();
  const auto view = desk.world.finish(id);
  CHECK(view.status == "completed");
  CHECK(desk.vendor.received == 2);
  CHECK(cost_of(view) == most + price_of_one);
  CHECK(bool_or(view.cost.get_array().at(0), "estimated", false));
  CHECK(desk.budget().spent_nano == most + price_of_one);
  CHECK(desk.budget().reserved_nano == 0);
}

TEST_CASE(
    "money: an answer that may have cost something counts as its highest, a refusal as none") {
  Desk desk;
  const std::int64_t most = desk.most();
  desk.vendor.script = {500, 429};
  const auto view = desk.world.finish(desk.world.run_workflow("one", JsonObject()));
  CHECK(view.status == "completed");
  CHECK(desk.vendor.received == 3);
  CHECK(cost_of(view) == most + price_of_one);
  CHECK(desk.leaves("model_intent", "admitted") == 3);
  CHECK(desk.leaves("model_call", "unknown") == 1);
  CHECK(desk.leaves("model_call", "failed") == 1);
  CHECK(desk.leaves("model_call", "done") == 1);
}

TEST_CASE("money: what a cancelled run held is settled with its end") {
  Desk desk;
  const std::int64_t most = desk.most();
  const auto id = desk.world.run_workflow("one", JsonObject());
  desk.world.executor.advance(std::chrono::milliseconds(20));
  desk.world.crash();  // nobody knows what came of it
  desk.vendor.takes = std::chrono::hours(1);
  desk.world.start();
  REQUIRE(desk.world.executor.run(desk.world.engine->cancel(desk.world.ctx(), id, "no")).ok());
  const auto view = desk.world.view(id);
  CHECK(view.status == "cancelled");
  const auto budget = desk.budget();
  CHECK(budget.reserved_nano == 0);
  CHECK(budget.spent_nano == cost_of(view));
  CHECK(budget.spent_nano >= most);
}

}  // namespace aios::workflow
