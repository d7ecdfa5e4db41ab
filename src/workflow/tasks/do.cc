// SPDX-License-Identifier: Apache-2.0
// do: a list of tasks in order.
#include "workflow/task_kind.h"

#include <utility>

namespace aios::workflow {
namespace {

class Do final : public TaskBody {
 public:
  explicit Do(std::uint32_t list) : list_(list) {}
  Step start(TaskScope& scope) const override { return Enter{list_, scope.input(), {}}; }

 private:
  std::uint32_t list_;
};

std::unique_ptr<TaskBody> load(TaskLoader& loader, const Json& node, const std::string& pointer) {
  const auto* list = loader.member(node, pointer, "do", "array", true);
  if (list == nullptr) {
    return nullptr;
  }
  return std::make_unique<Do>(loader.tasks(*list, pointer + "/do", {}));
}

}  // namespace

void register_task_do(TaskRegistry& registry) {
  registry.add({"do", "Runs a list of tasks in order.", {"do"}, load});
}

}  // namespace aios::workflow
