// SPDX-License-Identifier: Apache-2.0
// http: one request to an origin that the bundle declares (`call: http`). Its effect class is that
// of its method; the rest is what every call of a connector is.
#include "connectors/http_call.h"
#include "workflow/detail/connector_calls.h"
#include "workflow/function.h"

#include <memory>
#include <utility>

namespace aios::workflow {
namespace {

Result<connectors::OperationCall> call_of(const CallRequest& request) {
  auto call = connectors::http_operation(request.arguments);
  if (call.ok()) {
    fill_in(request, &*call);
  }
  return call;
}

class Http final : public Function {
 public:
  explicit Http(connectors::Connectors* connectors) : connectors_(connectors) {}

  Result<CallPlan> plan(const Context& ctx, const CallRequest& request) override {
    const auto call = call_of(request);
    if (!call.ok()) {
      return call.error();
    }
    CallPlan plan;
    plan.peer = connector_peer(call->connector);
    plan.origin = call->connector;
    const auto info = connectors_->describe(ctx.tenant, call->connector, call->operation);
    if (!info.ok()) {  // prepare() refuses it, with a leaf
      plan.effect = EffectClass::none;
      plan.names_effect = false;
      return plan;
    }
    plan.effect = info->effect;
    plan.backoff = info->backoff;
    plan.timeout = info->timeout;
    plan.names_effect = info->names_effect;
    const Json* headers = find(call->arguments, "headers");
    if (plan.effect == EffectClass::key && headers != nullptr) {
      plan.document_key = text_or(*headers, "idempotency-key", "");
    }
    return plan;
  }

  Task<govern::Refusable<PreparedCall>> prepare(Context ctx, CallRequest request) override {
    auto call = call_of(request);
    if (!call.ok()) {
      co_return std::move(call).error();
    }
    auto preparing = prepare_call(connectors_, std::move(ctx), std::move(*call));
    auto prepared = co_await std::move(preparing);
    co_return prepared;
  }

  Task<CallOutcome> perform(Context ctx, PreparedCall prepared, CallRequest /*request*/) override {
    auto admitted = std::static_pointer_cast<connectors::Prepared>(prepared.state);
    auto done = co_await connectors_->perform(ctx, std::move(*admitted));
    co_return outcome_of(std::move(done));
  }

 private:
  connectors::Connectors* connectors_;
};

}  // namespace

void register_function_http(FunctionRegistry& registry) {
  FunctionEntry entry;
  entry.name = "http";
  entry.version = "1.0.0";
  entry.summary = "Sends one HTTP request to an origin that `needs.egress` lists.";
  entry.arguments_schema = R"({"type": "object", "required": ["method", "endpoint"],
    "additionalProperties": false,
    "properties": {
      "method": {"type": "string", "description": "GET, HEAD, OPTIONS, PUT, DELETE, POST, PATCH."},
      "endpoint": {"type": ["string", "object"],
        "description": "The URL, or an object with `uri` and `authentication`."},
      "headers": {"type": ["object", "string"], "description": "Names and texts."},
      "query": {"type": ["object", "string"], "description": "Names and values, added to the URL."},
      "body": {"description": "Sent as JSON; a text with a Content-Type of its own as it is."},
      "output": {"enum": ["content", "response", "raw"],
        "description": "The answer's body read, all of it with status and headers, or base64."},
      "redirect": {"type": "boolean",
        "description": "A redirect is an answer, not an error; none is followed."}}})";
  entry.result_schema = R"({"description": "What `output` says."})";
  entry.make = [](const FunctionServices& services) -> std::unique_ptr<Function> {
    return std::make_unique<Http>(services.connectors);
  };
  registry.add(std::move(entry));
}

}  // namespace aios::workflow
