// SPDX-License-Identifier: Apache-2.0
// infer: a model by alias. One of this installation runs in this process: nothing leaves it, and a
// crash before the next fence asks again. One of somebody else's is an effect of class `read`: its
// intent is committed with the reservation of what it may cost.
#include "gateway/gateway.h"
#include "gateway/hosted.h"
#include "workflow/function.h"

#include <utility>

namespace aios::workflow {
namespace {

constexpr int nothing_serves_page = 705;
/// Somebody has to train and promote first: there is no hurry.
constexpr Duration promotion_pause = std::chrono::seconds(5);

gateway::InferRequest ask_of(CallRequest request) {
  gateway::InferRequest ask;
  ask.alias = std::string(text_or(request.arguments, "model", ""));
  ask.input = *find(request.arguments, "input");
  ask.run = std::move(request.run);
  ask.stream = std::move(request.run_id);
  ask.step = std::move(request.step);
  return ask;
}

JsonObject memory_of(const std::string& alias, const Json& output) {
  JsonObject out{{"alias", alias}};
  for (const auto* member : {"label", "confidence", "novelty", "version", "reasons"}) {
    if (const auto* value = find(output, member); value != nullptr) {
      out[member] = *value;
    }
  }
  return out;
}

class Infer final : public Function {
 public:
  Infer(gateway::Gateway* gateway, const gateway::Hosted* hosted)
      : gateway_(gateway),
        hosted_(hosted) {}

  Result<CallPlan> plan(const Context& ctx, const CallRequest& request) override {
    const auto alias = text_or(request.arguments, "model", "");
    const auto* input = find(request.arguments, "input");
    if (alias.empty() || input == nullptr || !input->is_object()) {
      return Error(Code::invalid_argument,
                   "infer: wanted 'model' (text) and 'input' (object), one has no such value")
          .page(1040);
    }
    CallPlan plan;
    plan.peer = model_peer(alias);
    if (const auto model = hosted_of(ctx, alias)) {
      plan.effect = EffectClass::read;
      plan.backoff = model->backoff;
      plan.timeout = model->timeout;
    }
    return plan;
  }

  /// The gateway asks the guard itself, with what the text really holds.
  Task<govern::Refusable<PreparedCall>> prepare(Context ctx, CallRequest request) override {
    const std::string alias(text_or(request.arguments, "model", ""));
    PreparedCall out;
    out.place = PreparedCall::Place{EffectClass::local, ""};
    if (!hosted_of(ctx, alias)) {
      co_return out;
    }
    out.place->effect = EffectClass::read;
    const std::string workflow(text_or(request.run, "workflow", ""));
    auto admitted = hosted_->admit(ctx, ask_of(std::move(request)), workflow);
    if (!admitted.ok()) {
      co_return std::move(admitted).refusal();
    }
    out.blocked = std::move(admitted->blocked);
    if (!out.blocked) {
      out.intent.push_back(std::move(admitted->intent));
      out.payment =
          PreparedCall::Payment{std::move(admitted->payment), std::move(admitted->unpaid)};
      out.state = std::move(admitted->state);
    }
    co_return out;
  }

  Task<CallOutcome> perform(Context ctx, PreparedCall prepared, CallRequest request) override {
    const std::string alias(text_or(request.arguments, "model", ""));
    if (prepared.state) {
      auto done = co_await perform_hosted(std::move(ctx), std::move(prepared), alias);
      co_return done;
    }
    CallOutcome out;
    auto ask = ask_of(std::move(request));
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
    out.inference = memory_of(alias, answer->output);
    out.result = std::move(answer->output);
    co_return out;
  }

 private:
  std::shared_ptr<const gateway::HostedModel> hosted_of(const Context& ctx,
                                                        std::string_view alias) const {
    return hosted_ == nullptr ? nullptr : hosted_->find(ctx.tenant, alias);
  }

  Task<CallOutcome> perform_hosted(Context ctx, PreparedCall prepared, std::string alias) const {
    gateway::Admitted admitted;
    admitted.state = std::static_pointer_cast<gateway::Admitted::State>(prepared.state);
    auto reply = co_await hosted_->perform(std::move(ctx), std::move(admitted));
    CallOutcome out;
    out.outcome = reply.outcome;
    out.error = std::move(reply.error);
    out.blocked = reply.blocked;
    out.spared = reply.spared;
    out.leaves.push_back(std::move(reply.leaf));
    if (!reply.estimated) {
      out.spent_nano = reply.spent_nano;
    }
    if (reply.outcome == Outcome::done) {
      out.inference = memory_of(alias, reply.output);
      out.result = std::move(reply.output);
    }
    co_return out;
  }

  gateway::Gateway* gateway_;
  const gateway::Hosted* hosted_;
};

}  // namespace

void register_function_infer(FunctionRegistry& registry) {
  FunctionEntry entry;
  entry.name = "infer";
  entry.version = "1.0.0";
  entry.summary = "Asks a model by its alias.";
  entry.arguments_schema = R"({"type": "object", "required": ["model", "input"],
    "additionalProperties": false,
    "properties": {
      "model": {"type": "string", "description": "Alias of a model of models/."},
      "input": {"type": ["object", "string"],
        "description": "What it is asked about: the members its file names."}}})";
  entry.result_schema = R"({"type": "object", "required": ["label", "confidence", "version"],
    "properties": {
      "label": {"description": "What the model says."},
      "confidence": {"description": "How sure it is, 0 to 1."},
      "version": {"description": "Version of the model that said it."},
      "novelty": {"description": "How unlike the training texts it is, 0 to 1; not of all models."},
      "scores": {"description": "{label, confidence} each, best first."},
      "reasons": {"description": "{term, weight} each: the words that decided."},
      "cost": {"description": "Of a hosted model: {currency, nano, estimated}."}}})";
  entry.make = [](const FunctionServices& services) -> std::unique_ptr<Function> {
    return std::make_unique<Infer>(services.gateway, services.hosted);
  };
  registry.add(std::move(entry));
}

}  // namespace aios::workflow
