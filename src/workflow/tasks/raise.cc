// SPDX-License-Identifier: Apache-2.0
// raise: an error of the document's own, inline or from use.errors.
#include "workflow/task_kind.h"

#include <utility>

namespace aios::workflow {
namespace {

class RaiseTask final : public TaskBody {
 public:
  explicit RaiseTask(Expression error) : error_(std::move(error)) {}
  Step start(TaskScope& scope) const override {
    auto made = scope.evaluate(error_);
    if (!made.ok()) {
      return scope.expression_failed(made.error());
    }
    auto problem = Problem::from_json(*made);
    problem.instance = scope.reference();  // what raised it, whatever the document says
    return Raise{std::move(problem)};
  }

 private:
  Expression error_;
};

std::unique_ptr<TaskBody> load(TaskLoader& loader, const Json& node, const std::string& pointer) {
  const auto* raise = loader.member(node, pointer, "raise", "object", true);
  if (raise == nullptr) {
    return nullptr;
  }
  const auto place = pointer + "/raise";
  loader.only(*raise, place, {"error"});
  const auto* error = loader.member(*raise, place, "error", "object or string", true);
  if (error == nullptr) {
    return nullptr;
  }
  std::string at = place + "/error";
  const auto* body = loader.referable(*error, at, "errors", &at);
  if (body == nullptr) {
    return nullptr;
  }
  loader.only(*body, at, {"type", "status", "title", "detail", "instance"});
  loader.member(*body, at, "type", "string", true);
  loader.member(*body, at, "status", "integer", true);
  loader.member(*body, at, "title", "string", false);
  loader.member(*body, at, "detail", "string", false);
  loader.member(*body, at, "instance", "string", false);
  return std::make_unique<RaiseTask>(loader.expression(*body, at, BareText::literal, {}));
}

}  // namespace

void register_task_raise(TaskRegistry& registry) {
  registry.add({"raise", "Raises an error of the document's own.", {"raise"}, load});
}

}  // namespace aios::workflow
