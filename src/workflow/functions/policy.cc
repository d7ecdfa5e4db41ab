// SPDX-License-Identifier: Apache-2.0
// policy: a question of the document's own to the tenant's policies. Its answer is data; what is
// allowed is decided by the guard all the same.
#include "govern/audit.h"
#include "govern/guard.h"
#include "govern/opening.h"
#include "workflow/function.h"

#include <utility>

namespace aios::workflow {
namespace {

class Policy final : public Function {
 public:
  Policy(const govern::Guard* guard, runtime::Clock* clock) : guard_(guard), clock_(clock) {}

  Result<CallPlan> plan(const Context& /*ctx*/, const CallRequest& request) override {
    if (text_or(request.arguments, "path", "").empty()) {
      return Error(Code::invalid_argument, "policy: 'path' is not a text such as support/decide")
          .page(1040);
    }
    return CallPlan();
  }

  Task<CallOutcome> perform(Context ctx, PreparedCall /*prepared*/, CallRequest request) override {
    CallOutcome out;
    const auto path = text_or(request.arguments, "path", "");
    const auto* given = find(request.arguments, "input");
    const Json input = given != nullptr ? *given : Json(JsonObject());
    auto answered = guard_->query(ctx, path, input);
    govern::LeafFacts facts(govern::LeafKind::policy_query);
    facts.stream = request.run_id;
    facts.step = request.step;
    facts.facts["path"] = path;
    if (answered.ok()) {
      facts.outcome = "done";
      // explain reads it back from the run's own history
      facts.contents["ruling"] =
          govern::content_of(JsonObject{{"path", path}, {"answer", answered->value}});
      facts.decisions.push_back(std::move(answered->decision));
      out.result = std::move(answered->value);
    } else {  // nothing was decided: the leaf says only that it was asked
      facts.outcome = "failed";
      out.outcome = Outcome::failed;
      out.error = std::move(answered).error();
    }
    out.leaves.push_back(govern::make_leaf(ctx, clock_->now(), facts));
    co_return out;
  }

 private:
  const govern::Guard* guard_;
  runtime::Clock* clock_;
};

}  // namespace

void register_function_policy(FunctionRegistry& registry) {
  FunctionEntry entry;
  entry.name = "policy";
  entry.version = "1.0.0";
  entry.summary = "Asks a rule of the tenant's policies.";
  entry.arguments_schema = R"({"type": "object", "required": ["path"],
    "additionalProperties": false,
    "properties": {
      "path": {"type": "string", "description": "The rule, such as support/decide."},
      "input": {"description": "What the rule sees as `input`; none is an empty object."}}})";
  entry.result_schema = R"({"description": "The value of the rule."})";
  entry.make = [](const FunctionServices& services) -> std::unique_ptr<Function> {
    return std::make_unique<Policy>(services.guard, services.clock);
  };
  registry.add(std::move(entry));
}

}  // namespace aios::workflow
