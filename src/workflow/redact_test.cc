// SPDX-License-Identifier: Apache-2.0
// The function redact by itself: what its result holds, and what it refuses.
#include "runtime/sim.h"
#include "workflow/function.h"

#include <doctest/doctest.h>

namespace aios::workflow {

void register_function_redact(FunctionRegistry& registry);

namespace {

CallOutcome redact(Json text) {
  FunctionRegistry registry;
  register_function_redact(registry);
  const auto function = registry.find("redact")->make(FunctionServices());
  CallRequest request;
  request.arguments = JsonObject{{"text", std::move(text)}};
  runtime::SimExecutor executor;
  return executor.run(function->perform(Context(), PreparedCall(), std::move(request)));
}

std::string text_of(const CallOutcome& outcome) {
  return std::string(text_or(outcome.result, "text", ""));
}

}  // namespace

TEST_CASE("redact: marks stand where the findings say, and the rest of the text stays") {
  const auto outcome = redact("mail a@x.org or b@x.org, not a@x.org, order 20250001");
  REQUIRE(outcome.outcome == Outcome::done);
  CHECK(text_of(outcome) == "mail [EMAIL_1] or [EMAIL_2], not [EMAIL_1], order 20250001");
  CHECK(to_text(*at_pointer(outcome.result, "/findings/1")) ==
        R"({"kind":"email","begin":16,"end":23})");
  CHECK(at_pointer(outcome.result, "/findings")->get_array().size() == 3);
}

TEST_CASE("redact: a mark that the text holds already stands for somebody else") {
  CHECK(text_of(redact("[EMAIL_1] wrote to b@x.org")) == "[EMAIL_1] wrote to [EMAIL_2]");
}

TEST_CASE("redact: what is no text, or too long to be looked through, is refused") {
  CHECK(redact(4111111111111111).outcome == Outcome::failed);
  const auto much = redact(Json(std::string(5 << 20, 'a')));
  CHECK(much.outcome == Outcome::failed);
  REQUIRE(much.error.has_value());
  CHECK(much.error->page() == 516);
  CHECK(much.result.is_null());
}

}  // namespace aios::workflow
