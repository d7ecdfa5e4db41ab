// SPDX-License-Identifier: Apache-2.0
// infer: a model by alias, through the gateway. Models run in this process, so nothing leaves it
// and a crash before the next fence asks again.
#include "gateway/gateway.h"
#include "workflow/function.h"

#include <utility>

namespace aios::workflow {
namespace {

constexpr int nothing_serves_page = 705;
/// Somebody has to train and promote first: there is no hurry.
constexpr Duration promotion_pause = std::chrono::seconds(5);

class Infer final : public Function {
 public:
  explicit Infer(gateway::Gateway* gateway) : gateway_(gateway) {}

  Result<CallPlan> plan(const Context& /*ctx*/, const CallRequest& request) override {
    const auto* input = find(request.arguments, "input");
    if (text_or(request.arguments, "model", "").empty() || input == nullptr ||
        !input->is_object()) {
      return Error(Code::invalid_argument,
                   "infer: wanted 'model' (text) and 'input' (object), one has no such value")
          .page(1040);
    }
    CallPlan plan;
    plan.peer = model_peer(text_or(request.arguments, "model", ""));
    return plan;
  }

  /// The gateway asks the guard itself, with what the text really holds.
  Task<CallOutcome> perform(Context ctx, PreparedCall /*prepared*/, CallRequest request) override {
    gateway::InferRequest ask;
    ask.alias = std::string(text_or(request.arguments, "model", ""));
    ask.input = *find(request.arguments, "input");
    ask.run = std::move(request.run);
    ask.stream = request.run_id;
    ask.step = request.step;
    const std::string alias = ask.alias;
    CallOutcome out;
    auto answer = co_await gateway_->infer(ctx, std::move(ask));
    if (!answer.ok()) {
      out = outcome_of(std::move(answer).refusal());
      if (out.error->page() == nothing_serves_page) {  // between a deployment and a promotion
        out.blocked = true;
        out.error = std::move(*out.error).after(promotion_pause);
      }
      co_return out;
    }
    out.leaves = std::move(answer->leaves);
    out.inference["alias"] = alias;
    for (const auto* member : {"label", "confidence", "novelty", "version"}) {
      if (const auto* value = find(answer->output, member); value != nullptr) {
        out.inference[member] = *value;
      }
    }
    out.result = std::move(answer->output);
    co_return out;
  }

 private:
  gateway::Gateway* gateway_;
};

}  // namespace

void register_function_infer(FunctionRegistry& registry) {
  FunctionEntry entry;
  entry.name = "infer";
  entry.version = "1.0.0";
  entry.summary = "Asks a model by its alias.";
  entry.arguments_schema = R"({"type": "object", "required": ["model", "input"],
    "additionalProperties": false,
    "properties": {"model": {"type": "string"}, "input": {"type": ["object", "string"]}}})";
  entry.result_schema = R"({"type": "object", "required": ["label", "confidence", "version"]})";
  entry.make = [](const FunctionServices& services) -> std::unique_ptr<Function> {
    return std::make_unique<Infer>(services.gateway);
  };
  registry.add(std::move(entry));
}

}  // namespace aios::workflow
