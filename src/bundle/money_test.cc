// SPDX-License-Identifier: Apache-2.0
#include "bundle/test/checking.h"

#include <doctest/doctest.h>

namespace aios::bundle {
namespace {

using Texts = std::vector<std::string>;

constexpr std::string_view usual_model = R"(name: second
provider: openai
url: "${params.url}/v1"
model: small-1
region: us
secret: second-key
labelsOf: intent
price: {currency: EUR, inputPerMillion: 0.15, outputPerMillion: "0.6"}
timeout: PT5S
limits: {outputTokens: 60, retries: 1, breaker: {failures: 3, openFor: PT10S}}
owner: x
intendedUse: y
)";
constexpr std::string_view usual_budgets = R"(budgets:
  - {name: daily, currency: EUR, window: day, limit: "${params.budget}"}
  - {name: flow, workflow: flow, currency: EUR, window: month, limit: 20}
)";

Files files(std::string_view model = usual_model, std::string_view budgets = usual_budgets) {
  Files out = {
      {"aios.yaml",
       "name: app\nversion: 1.0.0\n"
       "parameters:\n"
       "  url: {type: string, default: 'http://127.0.0.1:1'}\n"
       "  budget: {type: number, default: 2.5}\n"
       "needs: {secrets: [second-key]}\n" +
           std::string(budgets)},
      {"datasets/mails.csv", "text,label\na,refund\nb,status\n"},
      {"models/intent.yaml",
       "name: intent\nengine: text_linear\ndataset: datasets/mails.csv\n"
       "owner: x\nintendedUse: y\n"},
      {"models/second.yaml", std::string(model)},
      {"workflows/flow.yaml",
       "document: {dsl: 1.0.3, namespace: t, name: flow, version: 1.0.0}\n"
       "do:\n"
       "  - ask: {call: 'infer:1.0.0@default', with: {model: second, input: {text: x}}}\n"}};
  test::allow_all(&out);
  return out;
}

std::string replaced(std::string_view text, std::string_view from, std::string_view to) {
  std::string out(text);
  REQUIRE(out.find(from) != std::string::npos);
  return out.replace(out.find(from), from.size(), to);
}

/// The only error of a bundle whose model file has another text in one place.
std::string error_of(std::string_view from, std::string_view to) {
  const auto checked = test::check(files(replaced(usual_model, from, to)));
  REQUIRE(checked.errors.size() == 1);
  return checked.errors[0].text();
}
std::string budget_error(std::string_view from, std::string_view to) {
  const auto checked = test::check(files(usual_model, replaced(usual_budgets, from, to)));
  REQUIRE(checked.errors.size() == 1);
  return checked.errors[0].text();
}
bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

}  // namespace

TEST_CASE("money: a hosted model is read with its parameters, labels, price and limits") {
  const auto checked = test::check(files());
  CHECK(test::texts(checked.errors) == Texts{});
  REQUIRE(checked.bundle);
  REQUIRE(checked.bundle->hosted.size() == 1);
  const auto& model = checked.bundle->hosted[0];
  CHECK(model.alias == "second");
  CHECK(text_or(model.options, "url", "") == "http://127.0.0.1:1/v1");
  CHECK(*find(model.options, "labels") == Json(JsonArray{"refund", "status"}));
  CHECK(int_or(model.options, "outputTokensMax", 0) == 60);
  CHECK(model.price.input_nano_per_million == 150'000'000);
  CHECK(model.price.output_nano_per_million == 600'000'000);
  CHECK(model.timeout == std::chrono::seconds(5));
  CHECK(model.backoff.retries_max == 1);
  CHECK(model.breaker.failures_max == 3);
  CHECK(model.breaker.open_for == std::chrono::seconds(10));
  CHECK(checked.bundle->models.size() == 1);
  REQUIRE(checked.bundle->budgets.size() == 2);
  CHECK(checked.bundle->budgets[0].limit_nano == 2'500'000'000);
  CHECK(checked.bundle->budgets[0].scope == govern::BudgetScope::tenant);
  CHECK(checked.bundle->budgets[1].workflow == "flow");
}

TEST_CASE("money: what is wrong with a hosted model is told with its place") {
  CHECK(has(error_of("model: small-1\n", ""), "models/second.yaml:1:1: "));
  CHECK(has(error_of("timeout:", "timeuot:"), "timeuot"));
  CHECK(error_of("PT5S", "soon").starts_with("models/second.yaml:9:10: found 'soon'"));
  CHECK(has(error_of("params.url", "params.uri"), ":3:6: the bundle has no parameter 'uri'; did"));
  CHECK(has(error_of("labelsOf: intent", "labelsOf: intend"), "did you mean 'intent'"));
  CHECK(has(error_of("labelsOf: intent", "owner2: x"), "[AIOS-1130]"));
  CHECK(has(error_of("provider: openai", "provider: opneai"), ":2:11: no provider is named"));
  CHECK(has(error_of("region: us", "region: local"), "[AIOS-0803]"));
  CHECK(has(error_of("0.15", "-0.15"), ":8:41: "));
  CHECK(has(error_of("name: second", "name: intent"), "models/intent.yaml"));
  CHECK(has(error_of("secret: second-key", "secret: other-key"), "needs.secrets"));
  CHECK(has(error_of("currency: EUR", "currency: USD"), "[AIOS-1132]"));
}

TEST_CASE("money: what is wrong with a budget is told with its place") {
  CHECK(has(budget_error("window: day", "window: week"), "aios.yaml:8:"));
  CHECK(has(budget_error("limit: 20", "limit: twenty"), "[AIOS-0531]"));
  const auto flaw =
      test::check(files(usual_model, replaced(usual_budgets, "workflow: flow", "workflow: flaw")));
  CHECK(test::texts(flaw.errors) == Texts{});
  REQUIRE(!flaw.warnings.empty());
  CHECK(has(flaw.warnings[0].text(), "aios.yaml:9:"));
  CHECK(has(flaw.warnings[0].text(), "did you mean"));
  CHECK(has(budget_error("name: flow", "name: daily"), "[AIOS-0531]"));
  CHECK(has(budget_error("params.budget", "params.budgett"), "did you mean 'budget'"));
  const auto none = test::check(files(usual_model, ""));
  REQUIRE(none.errors.size() == 1);
  CHECK(none.errors[0].page() == 1132);
  const auto free =
      test::check(files(replaced(replaced(usual_model, "0.15", "0"), "\"0.6\"", "0"), ""));
  CHECK(test::texts(free.errors) == Texts{});
}

}  // namespace aios::bundle
