// SPDX-License-Identifier: Apache-2.0
// set: an object with expressions in it, or one expression.
#include "workflow/task_kind.h"

#include <utility>

namespace aios::workflow {
namespace {

class Set final : public TaskBody {
 public:
  explicit Set(Expression value) : value_(std::move(value)) {}
  Step start(TaskScope& scope) const override {
    auto made = scope.evaluate(value_);
    if (!made.ok()) {
      return scope.expression_failed(made.error());
    }
    return Done{std::move(*made), {}};
  }

 private:
  Expression value_;
};

std::unique_ptr<TaskBody> load(TaskLoader& loader, const Json& node, const std::string& pointer) {
  const auto* value = loader.member(node, pointer, "set", "object or string", true);
  if (value == nullptr) {
    return nullptr;
  }
  auto compiled = loader.expression(*value, pointer + "/set", BareText::expression, {});
  return std::make_unique<Set>(std::move(compiled));
}

}  // namespace

void register_task_set(TaskRegistry& registry) {
  registry.add({"set", "Makes data from literals and expressions.", {"set"}, load});
}

}  // namespace aios::workflow
