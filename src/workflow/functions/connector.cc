// SPDX-License-Identifier: Apache-2.0
// connector: one operation of a deployed business system. The manifest says what may be done when
// the outcome is not known; the engine does it.
#include "connectors/connectors.h"
#include "workflow/detail/connector_calls.h"
#include "workflow/function.h"

#include <fmt/format.h>

#include <utility>

namespace aios::workflow {
namespace {

connectors::OperationCall call_of(const CallRequest& request) {
  connectors::OperationCall out;
  fill_in(request, &out);
  out.connector = std::string(text_or(request.arguments, "connector", ""));
  out.operation = std::string(text_or(request.arguments, "operation", ""));
  const auto* arguments = find(request.arguments, "arguments");
  out.arguments = arguments != nullptr ? *arguments : Json(JsonObject());
  return out;
}

/// What the run's memory says of a result; nothing where the manifest keeps nothing of it.
JsonObject memory_of(const connectors::OperationCall& call, Json remembered) {
  if (remembered.is_null()) {
    return {};
  }
  return {{"connector", call.connector},
          {"operation", call.operation},
          {"result", std::move(remembered)}};
}

class Connector final : public Function {
 public:
  explicit Connector(connectors::Connectors* connectors) : connectors_(connectors) {}

  Result<CallPlan> plan(const Context& ctx, const CallRequest& request) override {
    const auto call = call_of(request);
    auto info = connectors_->describe(ctx.tenant, call.connector, call.operation);
    if (!info.ok()) {
      return std::move(info).error();
    }
    return CallPlan{.effect = info->effect,
                    .backoff = info->backoff,
                    .timeout = info->timeout,
                    .settle = info->settle,
                    .peer = connector_peer(call.connector),
                    .origin = info->origin,
                    .names_effect = info->names_effect};
  }

  Result<JsonObject> check_result(const Context& ctx, const CallRequest& request,
                                  const Json& result) override {
    const auto call = call_of(request);
    const auto info = connectors_->describe(ctx.tenant, call.connector, call.operation);
    if (!info.ok()) {  // taken away since: that it happened is all that is known
      return JsonObject{
          {"connector", call.connector}, {"operation", call.operation}, {"result", nullptr}};
    }
    auto fits = info->result_checker ? info->result_checker->validate(result) : Result<void>();
    auto kept = fits.ok() ? connectors_->recall(ctx.tenant, call, result)
                          : Result<Json>(std::move(fits).error());
    if (kept.ok()) {
      return memory_of(call, std::move(*kept));
    }
    return Error(Code::invalid_argument,
                 fmt::format("the result is not what '{}' of '{}' gives: {}", call.operation,
                             call.connector, kept.error().message()))
        .page(1020);
  }

  Task<govern::Refusable<PreparedCall>> prepare(Context ctx, CallRequest request) override {
    auto call = call_of(request);
    auto preparing = prepare_call(connectors_, std::move(ctx), std::move(call));
    auto prepared = co_await std::move(preparing);
    co_return prepared;
  }

  Task<CallOutcome> perform(Context ctx, PreparedCall prepared, CallRequest request) override {
    const auto call = call_of(request);
    auto admitted = std::static_pointer_cast<connectors::Prepared>(prepared.state);
    auto done = co_await connectors_->perform(ctx, std::move(*admitted));
    auto remembered = memory_of(call, std::move(done.remembered));
    CallOutcome out = outcome_of(std::move(done));
    out.connector_result = std::move(remembered);
    co_return out;
  }

  Task<LookupOutcome> lookup(Context ctx, PreparedCall prepared, CallRequest request) override {
    const auto call = call_of(request);
    auto admitted = std::static_pointer_cast<connectors::Prepared>(prepared.state);
    auto asked = co_await connectors_->lookup(ctx, std::move(*admitted));
    LookupOutcome out;
    out.connector_result = memory_of(call, std::move(asked.remembered));
    out.result = std::move(asked.result);
    out.error = std::move(asked.error);
    if (!asked.leaf.bytes.empty()) {
      out.leaves.push_back(std::move(asked.leaf));
    }
    co_return out;
  }

 private:
  connectors::Connectors* connectors_;
};

}  // namespace

void register_function_connector(FunctionRegistry& registry) {
  FunctionEntry entry;
  entry.name = "connector";
  entry.version = "1.0.0";
  entry.summary = "Calls an operation of a business system.";
  entry.arguments_schema = R"({"type": "object", "required": ["connector", "operation"],
    "additionalProperties": false,
    "properties": {
      "connector": {"type": "string", "description": "Name of a manifest in connectors/."},
      "operation": {"type": "string", "description": "One of its operations."},
      "arguments": {"type": ["object", "string"],
        "description": "What the operation's schema asks for; none is an empty object."}}})";
  entry.result_schema =
      R"({"description": "What the operation gives: its `result` in the manifest says what."})";
  entry.make = [](const FunctionServices& services) -> std::unique_ptr<Function> {
    return std::make_unique<Connector>(services.connectors);
  };
  registry.add(std::move(entry));
}

}  // namespace aios::workflow
