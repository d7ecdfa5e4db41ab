// SPDX-License-Identifier: Apache-2.0
// wait: parks the run for a time. Nothing of it is kept in memory meanwhile.
#include "workflow/task_kind.h"

#include <utility>

namespace aios::workflow {
namespace {

class Wait final : public TaskBody {
 public:
  explicit Wait(DurationValue pause) : pause_(std::move(pause)) {}
  Step start(TaskScope& scope) const override {
    auto pause = pause_.evaluate(scope);
    if (!pause.ok()) {
      return scope.expression_failed(pause.error());
    }
    return Sleep{*pause};
  }

 private:
  DurationValue pause_;
};

std::unique_ptr<TaskBody> load(TaskLoader& loader, const Json& node, const std::string& pointer) {
  const auto* value = loader.member(node, pointer, "wait", "object or string", true);
  if (value == nullptr) {
    return nullptr;
  }
  return std::make_unique<Wait>(loader.duration(*value, pointer + "/wait"));
}

}  // namespace

void register_task_wait(TaskRegistry& registry) {
  registry.add({"wait", "Parks the run for a time.", {"wait"}, load});
}

}  // namespace aios::workflow
