// SPDX-License-Identifier: Apache-2.0
#include "gateway/gateway.h"

#include "runtime/sim.h"

#include <doctest/doctest.h>

#include <optional>

namespace aios::gateway {
namespace {

constexpr const char* policies = R"(package aios.pre_model_call
import rego.v1
default allow := false
allow if input.model.name != "forbidden"
deny contains "too long" if input.content.characters > 100
obligations contains {"type": "redact"} if input.run.workflow == "careful"
obligations contains {"type": "sing"} if input.run.workflow == "opera"
)";
constexpr const char* after_policy = R"(package aios.post_model_call
import rego.v1
default allow := false
allow if input.result.label != "secret"
deny contains "not this label" if input.result.label == "secret"
)";

/// What the fake saw and says.
struct Script {
  std::string model = "echo";
  std::string version = "1";
  std::string label = "refund";
  std::string region = "local";
  std::optional<Error> error;
  int moves = 0;  ///< how many calls find that the alias moved
  int calls = 0;
  Json seen;
};

class Fake final : public Provider {
 public:
  explicit Fake(Script& script) : script_(&script) {}
  std::string_view name() const override { return "fake"; }
  std::string_view region() const override { return script_->region; }
  Result<std::pair<std::string, std::string>> resolve(const Context&,
                                                      std::string_view alias) override {
    if (alias != "intent") {
      return Error(Code::not_found, "no such alias").page(705);
    }
    return std::pair(script_->model, script_->version);
  }
  Task<ProviderReply> complete(Context, govern::Permit permit, ProviderCall call) override {
    CHECK(permit.decision().point == govern::GuardPoint::pre_model_call);
    ++script_->calls;
    if (script_->moves > 0) {
      --script_->moves;
      script_->version = "2";
      co_return failed(Error(Code::aborted, "moved", Retry::same_call));
    }
    if (script_->error) {
      co_return failed(*script_->error);
    }
    script_->seen = call.input;
    ProviderReply answer;
    answer.model = call.model;
    answer.version = call.version;
    answer.output = JsonObject{{"label", script_->label},
                               {"confidence", 0.75},
                               {"version", call.model + "@" + call.version}};
    co_return answer;
  }

 private:
  static ProviderReply failed(Error error) {
    ProviderReply reply;
    reply.outcome = Outcome::failed;
    reply.error = std::move(error);
    return reply;
  }
  Script* script_;
};

struct Desk {
  runtime::SimExecutor executor;
  govern::Guard guard;
  observe::Metrics metrics;
  Script script;
  std::unique_ptr<Gateway> gateway;

  Desk() {
    const auto loaded = guard.load(
        default_tenant(), {{"pre.rego", policies}, {"post.rego", after_policy}}, JsonObject{});
    REQUIRE(loaded.ok());
    guard.set_region(default_tenant(), "eu");
    std::vector<std::unique_ptr<Provider>> providers;
    providers.push_back(std::make_unique<Fake>(script));
    gateway = std::make_unique<Gateway>(guard, std::move(providers), metrics, executor.clock());
  }
  govern::Refusable<InferAnswer> infer(const std::string& text,
                                       const std::string& workflow = "ticket",
                                       const std::string& alias = "intent") {
    InferRequest request;
    request.alias = alias;
    request.input = JsonObject{{"text", text}};
    request.run = {{"workflow", workflow}};
    request.stream = "run_1";
    request.step = "/do/1/classify";
    return executor.run(
        gateway->infer(system_context(default_tenant(), "test"), std::move(request)));
  }
  bool counted(const std::string& outcome) const {
    return metrics.open_metrics().find("outcome=\"" + outcome + "\"} 1") != std::string::npos;
  }
};

bool holds(const store::AuditLeaf& leaf, const std::string& text) {
  return leaf.bytes.find(text) != std::string::npos;
}

TEST_CASE("gateway: an allowed call gives the answer and one leaf that says what was asked") {
  Desk desk;
  const auto answer = desk.infer("where is my refund");
  REQUIRE(answer.ok());
  CHECK(text_or(answer->output, "label", "") == "refund");
  CHECK(text_or(answer->output, "version", "") == "echo@1");
  REQUIRE(answer->leaves.size() == 1);
  const store::AuditLeaf& leaf = answer->leaves[0];
  for (const char* part : {R"("kind":"model_call")", R"("outcome":"done")", R"("name":"echo")",
                           R"("version":"1")", R"("label":"refund")", R"("confidence":0.75)",
                           R"("verdicts":["allow","allow"])", R"("stream":"run_1")"}) {
    CAPTURE(part);
    CHECK(holds(leaf, part));
  }
  CHECK(!holds(leaf, "where is my"));
  CHECK(desk.counted("done"));
}

TEST_CASE("gateway: a refusal before the call reaches no model and leaves its leaf") {
  Desk desk;
  desk.script.model = "forbidden";
  const auto answer = desk.infer("hello");
  REQUIRE(!answer.ok());
  CHECK(answer.error().code() == Code::policy_denied);
  CHECK(desk.script.calls == 0);
  REQUIRE(answer.refusal().leaves.size() == 1);
  CHECK(holds(answer.refusal().leaves[0], R"("outcome":"refused")"));
  CHECK(holds(answer.refusal().leaves[0], R"("verdicts":["deny"])"));
  CHECK(desk.counted("refused"));
}

TEST_CASE("gateway: a refusal after the call keeps the answer back and holds both decisions") {
  Desk desk;
  desk.script.label = "secret";
  const auto answer = desk.infer("hello");
  REQUIRE(!answer.ok());
  CHECK(answer.error().code() == Code::policy_denied);
  CHECK(answer.error().text().find("not this label") != std::string::npos);
  REQUIRE(answer.refusal().leaves.size() == 1);
  CHECK(holds(answer.refusal().leaves[0], R"("verdicts":["allow","deny"])"));
}

TEST_CASE("gateway: personal data is found in the text itself, wherever it stands") {
  Desk desk;
  desk.script.region = "us";
  const auto clean = desk.infer("where is my refund");
  CHECK(clean.ok());
  const auto personal = desk.infer("write to ann@example.com");
  REQUIRE(!personal.ok());
  CHECK(personal.error().code() == Code::policy_denied);
  InferRequest deep;
  deep.alias = "intent";
  deep.input = JsonObject{{"text", "hello"}, {"more", JsonArray{{{"ann@example.com", 1}}}}};
  deep.run = {{"workflow", "ticket"}};
  const auto hidden = desk.executor.run(
      desk.gateway->infer(system_context(default_tenant(), "test"), std::move(deep)));
  REQUIRE(!hidden.ok());
  CHECK(hidden.error().code() == Code::policy_denied);
  CHECK(desk.script.calls == 1);
}

TEST_CASE("gateway: the redact obligation is carried out, an unknown one refuses the call") {
  Desk desk;
  REQUIRE(desk.infer("write to ann@example.com", "careful").ok());
  CHECK(text_or(desk.script.seen, "text", "").find("ann@") == std::string_view::npos);
  const auto opera = desk.infer("hello", "opera");
  REQUIRE(!opera.ok());
  CHECK(opera.error().code() == Code::policy_denied);
  CHECK(opera.error().page() == 802);
  CHECK(desk.script.calls == 1);
}

TEST_CASE("gateway: what leaves masked holds no member's name and no number of a person") {
  Desk desk;
  desk.script.region = "us";
  const auto ask = [&](std::string_view input, std::string_view workflow) {
    InferRequest request;
    request.alias = "intent";
    request.input = parse_json(input).value();
    request.run = {{"workflow", workflow}};
    return desk.executor.run(
        desk.gateway->infer(system_context(default_tenant(), "test"), std::move(request)));
  };
  CHECK(ask(R"({"card":4111111111111111})", "ticket").error().code() == Code::policy_denied);
  CHECK(desk.script.calls == 0);
  REQUIRE(ask(R"({"text":"mail anna@example.org","anna@example.org":1,"card":4111111111111111})",
              "careful")
              .ok());
  CHECK(to_text(desk.script.seen) ==
        R"({"text":"mail [EMAIL_1]","[EMAIL_1]":1,"card":"[CARD_1]"})");
  const std::string_view plain = R"({"cents":123456789,"order":20250001,"at_ms":1763740800123})";
  REQUIRE(ask(plain, "ticket").ok());
  CHECK(to_text(desk.script.seen) == plain);
  REQUIRE(ask(plain, "careful").ok());
  CHECK(to_text(desk.script.seen) == plain);
}

TEST_CASE("gateway: characters are counted as code points") {
  Desk desk;
  std::string text;
  for (int i = 0; i < 96; ++i) {
    text += "\xc3\xa9";  // 192 bytes; the member's name counts four
  }
  CHECK(desk.infer(text).ok());
  CHECK(!desk.infer(text + "x").ok());
}

TEST_CASE("gateway: an alias that moves is asked about again, but not forever") {
  Desk desk;
  desk.script.moves = 1;
  const auto answer = desk.infer("hello");
  REQUIRE(answer.ok());
  CHECK(text_or(answer->output, "version", "") == "echo@2");
  CHECK(answer->leaves.size() == 1);
  desk.script.moves = 100;
  const auto restless = desk.infer("hello");
  REQUIRE(!restless.ok());
  CHECK(restless.error().code() == Code::aborted);
  CHECK(restless.refusal().leaves.size() == 1);
}

TEST_CASE("gateway: a provider's error keeps its meaning and leaves a leaf") {
  Desk desk;
  desk.script.error = Error(Code::unavailable, "busy", Retry::same_call);
  const auto answer = desk.infer("hello");
  REQUIRE(!answer.ok());
  CHECK(answer.error().code() == Code::unavailable);
  CHECK(answer.error().retry() == Retry::same_call);
  REQUIRE(answer.refusal().leaves.size() == 1);
  CHECK(holds(answer.refusal().leaves[0], R"("outcome":"failed")"));
}

TEST_CASE("gateway: an unknown alias and a huge input are refused before anything is asked") {
  Desk desk;
  const auto alias = desk.infer("hello", "ticket", "intnet");
  REQUIRE(!alias.ok());
  CHECK(alias.error().code() == Code::not_found);
  CHECK(alias.refusal().leaves.empty());
  const auto huge = desk.infer(std::string((1 << 20) + 1, 'x'));
  REQUIRE(!huge.ok());
  CHECK(huge.error().page() == 800);
  CHECK(huge.refusal().leaves.empty());
  CHECK(desk.script.calls == 0);
}

TEST_CASE("gateway: without policies every call is refused") {
  Desk desk;
  InferRequest request;
  request.alias = "intent";
  request.input = JsonObject{{"text", "hello"}};
  Context ctx = system_context(*TenantId::parse("other"), "test");
  const auto answer = desk.executor.run(desk.gateway->infer(ctx, std::move(request)));
  REQUIRE(!answer.ok());
  CHECK(answer.error().code() == Code::policy_denied);
  CHECK(desk.script.calls == 0);
}

}  // namespace
}  // namespace aios::gateway
