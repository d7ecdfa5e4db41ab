// SPDX-License-Identifier: Apache-2.0
#include "gateway/hosted.h"

#include "govern/opening.h"
#include "runtime/sim.h"
#include "runtime/task_group.h"
#include "store/test/memory.h"

#include <doctest/doctest.h>

#include <deque>

namespace aios::gateway {
namespace {

constexpr const char* before_policy = R"(package aios.pre_model_call
import rego.v1
allow := true
obligations contains {"type": "redact"} if input.run.workflow == "careful"
)";
constexpr const char* after_policy = R"(package aios.post_model_call
import rego.v1
allow if input.result.label != "other"
)";
constexpr const char* options = R"({"name": "second", "region": "us", "secret": "key",
  "url": "http://127.0.0.1:1/v1", "model": "small-1", "labels": ["refund", "other"]})";
constexpr const char* good_body = R"({"model": "small-1-b", "choices": [{"finish_reason": "stop",
  "message": {"content": "{\"label\": \"refund\", \"confidence\": 0.5}"}}],
  "usage": {"prompt_tokens": 40, "completion_tokens": 10}})";

/// Counts what it receives; answers the next of its script, then well.
class Vendor final : public net::Client {
 public:
  std::deque<net::Response> script;
  std::optional<Error> lost;  ///< instead of every answer
  std::vector<std::string> received;
  Duration deadline{0};
  runtime::Clock* clock = nullptr;
  Task<Result<net::Response>> send(Context ctx, net::ClientRequest request) override {
    if (lost) {
      co_return *lost;
    }
    received.push_back(request.body);
    deadline = ctx.deadline - clock->instant();
    net::Response response;
    response.body = good_body;
    if (!script.empty()) {
      response = script.front();
      script.pop_front();
    }
    auto rested = co_await runtime::sleep_for(ctx, std::chrono::milliseconds(3));
    if (!rested.ok()) {
      co_return Error(Code::deadline_exceeded, "too slow", Retry::whole_step);
    }
    co_return response;
  }
  void answer(int status, std::string body, std::string_view retry_after) {
    net::Response response;
    response.status = status;
    response.body = std::move(body);
    if (!retry_after.empty()) {
      response.headers.add("retry-after", retry_after);
    }
    script.push_back(std::move(response));
  }
};

struct Office {
  runtime::SimExecutor executor;
  govern::Guard guard;
  govern::Budgets budgets;
  observe::Metrics metrics;
  Vendor vendor;
  std::unique_ptr<store::Store> store;
  std::unique_ptr<Hosted> hosted;
  Context ctx = system_context(default_tenant(), "test");
  bool has_secret = true;

  explicit Office(std::int64_t limit_nano = 1'000'000'000) {
    const std::vector<govern::PolicyFile> files{{"pre.rego", before_policy},
                                                {"post.rego", after_policy}};
    REQUIRE(guard.load(default_tenant(), files, JsonObject()).ok());
    guard.set_region(default_tenant(), "eu");
    govern::BudgetSpec budget;
    budget.name = "models";
    budget.currency = "EUR";
    budget.limit_nano = limit_nano;
    REQUIRE(budgets.load(default_tenant(), {budget}).ok());
    store = store::test::open_memory(std::make_shared<store::MemoryDisk>(), executor.clock());
    vendor.clock = &executor.clock();
    HostedServices services;
    services.guard = &guard;
    services.budgets = &budgets;
    services.client = &vendor;
    services.secret = [this](const TenantId&, std::string_view) {
      return has_secret ? Result<std::string>("s3cret") : Error(Code::not_found, "no secret");
    };
    services.metrics = &metrics;
    services.clock = &executor.clock();
    hosted = std::make_unique<Hosted>(std::move(services));
    REQUIRE(hosted->load(default_tenant(), {model()}).ok());
  }
  static HostedModel model() {
    HostedModel out;
    out.alias = "second";
    out.provider = "openai";
    out.options = *parse_json(options);
    out.price = {"EUR", 1'000'000'000, 2'000'000'000};  // 1,000 and 2,000 nano a token
    out.timeout = std::chrono::seconds(5);
    out.breaker = {.failures_max = 2, .open_for = std::chrono::seconds(10)};
    return out;
  }
  govern::Refusable<Admitted> admit(const std::string& text,
                                    const std::string& workflow = "plain") {
    InferRequest request;
    request.alias = "second";
    request.input = JsonObject{{"text", text}};
    request.run = {{"workflow", workflow}};
    request.stream = "run_1";
    return hosted->admit(ctx, std::move(request), "support/" + workflow);
  }
  HostedReply ask(const std::string& text, const std::string& workflow = "plain") {
    auto admitted = admit(text, workflow);
    REQUIRE(admitted.ok());
    if (admitted->blocked) {
      HostedReply away;
      away.blocked = true;
      away.error = std::move(admitted->blocked);
      return away;
    }
    return executor.run(hosted->perform(ctx, std::move(*admitted)));
  }
  store::Transition moving(std::vector<store::BudgetMove> moves) const {
    store::Transition out;
    out.tenant = default_tenant();
    out.epoch = store->epoch();
    out.budgets = std::move(moves);
    return out;
  }
};

bool holds(const store::AuditLeaf& leaf, std::string_view text) {
  return leaf.bytes.find(text) != std::string::npos;
}

/// As a caller that keeps the two commits around the call.
Task<void> whole_call(Office& office, int* answered, int* unpaid) {
  auto admitted = office.admit("where is my refund");
  CHECK(admitted.ok());
  auto intent = office.moving(admitted->payment.moves);
  auto saved = co_await office.store->commit(office.ctx, std::move(intent));
  if (!saved.ok()) {
    CHECK(saved.error().code() == Code::budget_exceeded);
    ++*unpaid;
    co_return;
  }
  const govern::Reservation reservation = admitted->payment.reservation;
  auto ready = std::move(*admitted);
  auto reply = co_await office.hosted->perform(office.ctx, std::move(ready));
  CHECK(reply.outcome == Outcome::done);
  ++*answered;
  auto result = office.moving(reservation.settle(reply.spent_nano));
  auto settled = co_await office.store->commit(office.ctx, std::move(result));
  CHECK(settled.ok());
}

}  // namespace

TEST_CASE("hosted: a call is admitted with its highest cost and settled with its own") {
  Office office;
  auto admitted = office.admit("where is my refund");
  REQUIRE(admitted.ok());
  CHECK(office.vendor.received.empty());  // nothing leaves before the caller has committed
  const std::int64_t most = admitted->payment.reservation.amount_nano;
  CHECK(holds(admitted->intent, R"("kind":"model_intent")"));
  CHECK(holds(admitted->unpaid, R"("outcome":"over_budget")"));
  const auto reply = office.executor.run(office.hosted->perform(office.ctx, *std::move(admitted)));
  REQUIRE(reply.outcome == Outcome::done);
  CHECK(reply.spent_nano == 40 * 1000 + 10 * 2000);
  CHECK(reply.spent_nano < most);
  CHECK(!reply.estimated);
  CHECK(text_or(reply.output, "label", "") == "refund");
  CHECK(*at_pointer(reply.output, "/cost/nano") == Json(60'000));
  for (const char* part : {R"("kind":"model_call")", R"("outcome":"done")", R"("spent_nano":60000)",
                           R"("region":"us")", R"("served":"small-1-b")"}) {
    CAPTURE(part);
    CHECK(holds(reply.leaf, part));
  }
  CHECK(!holds(reply.leaf, "where is my"));
  CHECK(office.vendor.received.size() == 1);
  CHECK(office.vendor.deadline == std::chrono::seconds(5));
  const std::string text = office.metrics.open_metrics();
  CHECK(text.find("aios_model_cost_nano") != std::string::npos);
  CHECK(text.find("60000") != std::string::npos);
}

TEST_CASE("hosted: what a vendor calls its model is in clear only if it can be a name") {
  Office office;
  std::string talkative = good_body;
  office.vendor.answer(200, talkative.replace(11, 9, "Anna Adler"), "");
  CHECK(holds(office.ask("x").leaf, R"x("served":"(no name)")x"));
}

TEST_CASE("hosted: personal data does not leave the region, masked it does") {
  Office office;
  const auto raw = office.admit("write to ann@example.com");
  REQUIRE(!raw.ok());
  CHECK(raw.error().code() == Code::policy_denied);
  REQUIRE(raw.refusal().leaves.size() == 1);
  CHECK(holds(raw.refusal().leaves[0], R"("outcome":"refused")"));
  const auto masked = office.ask("write to ann@example.com, it is about my refund", "careful");
  CHECK(masked.outcome == Outcome::done);
  REQUIRE(office.vendor.received.size() == 1);
  CHECK(office.vendor.received[0].find("ann@") == std::string::npos);
  CHECK(office.vendor.received[0].find("about my refund") != std::string::npos);
  CHECK(holds(masked.leaf, R"("obligations":1)"));
}

TEST_CASE("hosted: the leaves commit to what the vendor gets, masked, and to what it answers") {
  Office office;
  auto admitted = office.admit("write to ann@example.com, it is about my refund", "careful");
  REQUIRE(admitted.ok());
  const store::AuditLeaf intent = admitted->intent;
  const Json contents = parse_json(intent.contents).value();
  const std::string input(text_or(contents, "input", ""));
  CHECK(input.find("about my refund") != std::string::npos);
  CHECK(input.find("ann@") == std::string::npos);
  CHECK(govern::check_opening(parse_json(intent.bytes).value(), "input", intent.salt, input).ok());
  const auto reply = office.executor.run(office.hosted->perform(office.ctx, *std::move(admitted)));
  REQUIRE(reply.outcome == Outcome::done);
  const Json leaf = parse_json(reply.leaf.bytes).value();
  const Json answered = parse_json(reply.leaf.contents).value();
  const std::string output(text_or(answered, "output", ""));
  CHECK(output.find("refund") != std::string::npos);
  CHECK(govern::check_opening(leaf, "output", reply.leaf.salt, output).ok());
  CHECK(govern::check_opening(leaf, "input", reply.leaf.salt, input).error().code() ==
        Code::not_found);
}

TEST_CASE("hosted: of 128 callers at once a budget for ten lets exactly ten reach the vendor") {
  Office probe;
  const std::int64_t most = probe.admit("where is my refund")->payment.reservation.amount_nano;
  Office office(10 * most + most / 2);
  int answered = 0;
  int unpaid = 0;
  runtime::TaskGroup group(office.executor);
  for (int i = 0; i < 128; ++i) {
    group.spawn(whole_call(office, &answered, &unpaid));
  }
  office.executor.run(group.join());
  CHECK(answered == 10);
  CHECK(unpaid == 118);
  CHECK(office.vendor.received.size() == 10);
  const auto states = office.executor.run(
      office.budgets.list(office.ctx, office.store.get(), office.executor.clock().now()));
  REQUIRE(states.ok());
  CHECK(states->at(0).spent_nano == 10 * 60'000);
  CHECK(states->at(0).reserved_nano == 0);
}

TEST_CASE("hosted: Retry-After keeps everybody away until its time has come") {
  Office office;
  office.vendor.answer(429, "{}", "7");
  const auto busy = office.ask("x");
  CHECK(busy.outcome == Outcome::failed);
  CHECK(busy.error->code() == Code::rate_limited);
  CHECK(busy.spent_nano == 0);
  CHECK(!busy.estimated);
  const auto early = office.ask("x");
  CHECK(early.blocked);
  CHECK(early.error->page() == 810);
  CHECK(early.spent_nano == 0);
  CHECK(*early.error->retry_after() <= std::chrono::seconds(7));
  CHECK(office.vendor.received.size() == 1);
  office.executor.advance(std::chrono::seconds(7));
  CHECK(office.ask("x").outcome == Outcome::done);
}

TEST_CASE("hosted: a server that is away counts as no try, one that answers badly does") {
  Office office;
  office.vendor.lost = Error(Code::unavailable, "connection refused", Retry::same_call);
  const auto away = office.ask("x");
  CHECK(away.outcome == Outcome::failed);
  CHECK(away.spared);
  CHECK(away.spent_nano == 0);
  CHECK(holds(away.leaf, R"("outcome":"not_sent")"));
  office.vendor.lost = Error(Code::invalid_argument, "no such address");
  CHECK_FALSE(office.ask("x").spared);  // asking again helps nobody
  office.vendor.lost = Error(Code::unavailable, "reset", Retry::whole_step);
  const auto lost = office.ask("x");
  CHECK(lost.outcome == Outcome::unknown);
  CHECK_FALSE(lost.spared);  // it may have cost money
  office.vendor.lost.reset();
  office.executor.advance(std::chrono::seconds(10));
  office.vendor.answer(429, "{}", "7");
  CHECK(office.ask("x").spared);
  office.executor.advance(std::chrono::seconds(7));
  office.vendor.answer(400, "{}", "");
  CHECK_FALSE(office.ask("x").spared);
}

TEST_CASE("hosted: what was admitted before it is to be left alone is not sent, and says so") {
  Office office;
  auto late = office.admit("x");
  office.vendor.answer(429, "{}", "7");
  CHECK(office.ask("x").outcome == Outcome::failed);
  const auto blocked = office.executor.run(office.hosted->perform(office.ctx, *std::move(late)));
  CHECK(blocked.blocked);
  CHECK(blocked.spent_nano == 0);
  CHECK(!blocked.estimated);
  CHECK(holds(blocked.leaf, R"("outcome":"blocked")"));
  CHECK(office.vendor.received.size() == 1);
}

TEST_CASE(
    "hosted: without its secret nothing is admitted, and a request that cannot leave says so") {
  Office office;
  office.has_secret = false;
  const auto early = office.admit("x");
  REQUIRE(early.ok());
  REQUIRE(early->blocked);
  CHECK(early->blocked->page() == 809);
  CHECK(early->payment.moves.empty());
  CHECK(office.hosted->missing_secrets(default_tenant()).size() == 1);
  office.has_secret = true;
  CHECK(office.hosted->missing_secrets(default_tenant()).empty());
  const auto empty = office.ask("");
  CHECK(empty.outcome == Outcome::failed);
  CHECK(holds(empty.leaf, R"("outcome":"not_sent")"));
  CHECK(office.vendor.received.empty());
}

TEST_CASE("hosted: what costs nothing needs no budget") {
  Office office;
  REQUIRE(office.budgets.load(default_tenant(), {}).ok());
  HostedModel free = Office::model();
  free.price = {"EUR", 0, 0};
  REQUIRE(office.hosted->load(default_tenant(), {free}).ok());
  CHECK(office.ask("x").outcome == Outcome::done);
}

TEST_CASE("hosted: a server in trouble may have charged, and its breaker opens and closes") {
  Office office;
  for (int i = 0; i < 3; ++i) {
    office.vendor.answer(500, "oops", "");
  }
  const std::int64_t most = office.admit("x")->payment.reservation.amount_nano;
  for (int i = 0; i < 2; ++i) {
    const auto broken = office.ask("x");
    CHECK(broken.outcome == Outcome::unknown);
    CHECK(broken.estimated);
    CHECK(broken.spent_nano == most);
    CHECK(holds(broken.leaf, R"("outcome":"unknown")"));
  }
  CHECK(office.ask("x").blocked);
  office.executor.advance(std::chrono::seconds(10));
  CHECK(office.ask("x").outcome == Outcome::unknown);  // the probe
  CHECK(office.ask("x").blocked);
  office.executor.advance(std::chrono::seconds(20));
  CHECK(office.ask("x").outcome == Outcome::done);
  CHECK(office.ask("x").outcome == Outcome::done);
  CHECK(office.vendor.received.size() == 5);
}

TEST_CASE("hosted: an answer that is kept back or of no use is paid for") {
  Office office;
  std::string other = good_body;
  other.replace(other.find("refund"), 6, "other");
  office.vendor.answer(200, other, "");
  const auto denied = office.ask("x");
  CHECK(denied.outcome == Outcome::failed);
  CHECK(denied.error->code() == Code::policy_denied);
  CHECK(denied.spent_nano == 60'000);
  CHECK(denied.output.is_null());
  CHECK(holds(denied.leaf, R"("outcome":"refused")"));
  office.vendor.answer(200, "<html>", "");
  const auto garbage = office.ask("x");
  CHECK(garbage.outcome == Outcome::unknown);
  CHECK(garbage.estimated);
  CHECK(garbage.error->page() == 806);
}

TEST_CASE("hosted: without a budget, and for an unknown alias, nothing is admitted") {
  Office office;
  REQUIRE(office.budgets.load(default_tenant(), {}).ok());
  const auto poor = office.admit("x");
  REQUIRE(!poor.ok());
  CHECK(poor.error().page() == 530);
  CHECK(poor.refusal().leaves.size() == 1);
  REQUIRE(office.hosted->load(default_tenant(), {}).ok());
  CHECK(office.admit("x").error().code() == Code::not_found);
  CHECK(office.hosted->find(default_tenant(), "second") == nullptr);
  HostedModel wrong = Office::model();
  wrong.provider = "opneai";
  CHECK(office.hosted->load(default_tenant(), {wrong}).error().page() == 803);
  CHECK(office.hosted->load(default_tenant(), {Office::model(), Office::model()}).error().page() ==
        803);
}

}  // namespace aios::gateway
