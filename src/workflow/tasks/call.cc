// SPDX-License-Identifier: Apache-2.0
// call: a function of the default catalog, `http`, or an alias of one of them in use.functions. An
// alias is such a call itself: its `with` is evaluated with the caller's arguments as its input.
#include "workflow/detail/http_call.h"
#include "workflow/task_kind.h"

#include <optional>
#include <utility>

namespace aios::workflow {
namespace {

class CallTask final : public TaskBody {
 public:
  CallTask(std::string function, Expression arguments, Expression inner)
      : function_(std::move(function)),
        arguments_(std::move(arguments)),
        inner_(std::move(inner)) {}
  Step start(TaskScope& scope) const override {
    Json arguments = JsonObject();
    if (arguments_.present()) {
      auto made = scope.evaluate(arguments_);
      if (!made.ok()) {
        return scope.expression_failed(made.error());
      }
      arguments = std::move(*made);
    }
    if (inner_.present()) {
      auto made = scope.evaluate(inner_, arguments, {});
      if (!made.ok()) {
        return scope.expression_failed(made.error());
      }
      arguments = std::move(*made);
    }
    return Call{function_, std::move(arguments)};
  }

 private:
  std::string function_;
  Expression arguments_;
  Expression inner_;
};

/// An HTTP request, of the step itself or of an alias.
class HttpTask final : public TaskBody {
 public:
  /// @param given  of a call by an alias: what the caller gives it.
  HttpTask(HttpCall call, std::optional<Expression> given)
      : call_(std::move(call)),
        given_(std::move(given)) {}
  Step start(TaskScope& scope) const override {
    Json dot = scope.input();
    if (given_) {
      auto made = given_->present() ? scope.evaluate(*given_) : Result<Json>(Json(JsonObject()));
      if (!made.ok()) {
        return scope.expression_failed(made.error());
      }
      dot = std::move(*made);
    }
    auto arguments = call_.arguments(scope, dot);
    if (!arguments.ok()) {
      return scope.expression_failed(arguments.error());
    }
    return Call{"http", std::move(*arguments)};
  }

 private:
  HttpCall call_;
  std::optional<Expression> given_;
};

std::unique_ptr<TaskBody> load_http(TaskLoader& loader, const Json* with,
                                    const std::string& pointer, std::optional<Expression> given) {
  auto call = HttpCall::load(loader, with, pointer);
  return call ? std::make_unique<HttpTask>(std::move(*call), std::move(given)) : nullptr;
}

bool is_protocol(std::string_view name) {
  return name == "grpc" || name == "openapi" || name == "asyncapi" || name == "a2a" ||
         name == "mcp";
}

std::unique_ptr<TaskBody> load(TaskLoader& loader, const Json& node, const std::string& pointer) {
  const auto* call = loader.member(node, pointer, "call", "string", true);
  const auto* with = loader.member(node, pointer, "with", "object", false);
  if (call == nullptr) {
    return nullptr;
  }
  const std::string name(view(call->get_string()));
  if (is_protocol(name)) {
    loader.function(name, with, pointer);  // says what to use instead; its arguments mean nothing
    return nullptr;
  }
  if (HttpCall::is_named(name)) {
    return load_http(loader, with, pointer, std::nullopt);
  }
  Expression arguments;
  if (with != nullptr) {
    arguments = loader.expression(*with, pointer + "/with", BareText::literal, {});
  }
  // A catalog's function has an '@'; addresses are refused by function() as not
  // supported.
  if (name.find_first_of("@:/") != std::string::npos) {
    return std::make_unique<CallTask>(loader.function(name, with, pointer), std::move(arguments),
                                      Expression());
  }
  std::string at = pointer + "/call";
  const auto* alias = loader.referable(*call, at, "functions", &at);
  if (alias == nullptr) {
    return nullptr;
  }
  for (const auto* absent : {"if", "input", "output", "export", "timeout", "then"}) {
    if (find(*alias, absent) != nullptr) {
      loader.fail(
          at + "/" + absent,
          std::string("'") + absent + "' is not supported in an alias; supported: call, with",
          1002);
      return nullptr;
    }
  }
  loader.only(*alias, at, {"call", "with"});
  const auto* inner_call = loader.member(*alias, at, "call", "string", true);
  const auto* inner_with = loader.member(*alias, at, "with", "object", true);
  if (inner_call == nullptr || inner_with == nullptr) {
    return nullptr;
  }
  const std::string inner_name(view(inner_call->get_string()));
  if (HttpCall::is_named(inner_name)) {
    return load_http(loader, inner_with, at, std::move(arguments));
  }
  auto inner = loader.expression(*inner_with, at + "/with", BareText::literal, {});
  auto function = loader.function(inner_name, inner_with, at);
  return std::make_unique<CallTask>(std::move(function), std::move(arguments), std::move(inner));
}

}  // namespace

void register_task_call(TaskRegistry& registry) {
  registry.add({"call",
                "Calls a function of the default catalog, or sends an HTTP request.",
                {"call", "with"},
                load});
}

}  // namespace aios::workflow
