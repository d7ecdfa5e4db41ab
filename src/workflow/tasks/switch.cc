// SPDX-License-Identifier: Apache-2.0
// switch: the first case whose condition holds says where the flow goes; a case without one is the
// default.
#include "workflow/task_kind.h"

#include <fmt/format.h>

#include <utility>

namespace aios::workflow {
namespace {

struct Case {
  Expression when;  ///< absent: the default
  Directive then;
};

class Switch final : public TaskBody {
 public:
  explicit Switch(std::vector<Case> cases) : cases_(std::move(cases)) {}
  Step start(TaskScope& scope) const override {
    std::optional<Directive> chosen;
    for (const auto& one : cases_) {
      if (!one.when.present()) {
        chosen = chosen ? chosen : one.then;
        continue;
      }
      auto holds = scope.evaluate(one.when);
      if (!holds.ok()) {
        return scope.expression_failed(holds.error());
      }
      if (is_true(*holds)) {
        chosen = one.then;
        break;
      }
    }
    return Done{scope.input(), chosen};
  }

 private:
  std::vector<Case> cases_;
};

std::optional<Case> load_case(TaskLoader& loader, const Json& item, const std::string& pointer) {
  if (!item.is_object() || item.get_object().size() != 1) {
    loader.fail(pointer, "a switch case must be an object with one member, its name", 1001);
    return {};
  }
  const auto& named = *item.get_object().begin();
  const auto place = pointer + "/" + std::string(named.key());
  loader.only(named.value(), place, {"when", "then"});
  const auto* then = loader.member(named.value(), place, "then", "string", true);
  const auto* when = loader.member(named.value(), place, "when", "string", false);
  Case out;
  if (when != nullptr) {
    out.when = loader.expression(*when, place + "/when", BareText::expression, {});
  }
  if (then != nullptr) {
    out.then = loader.directive(*then, place + "/then");
  }
  return out;
}

std::unique_ptr<TaskBody> load(TaskLoader& loader, const Json& node, const std::string& pointer) {
  const auto* items = loader.member(node, pointer, "switch", "array", true);
  if (items == nullptr) {
    return nullptr;
  }
  const auto place = pointer + "/switch";
  std::vector<Case> cases;
  std::size_t index = 0;
  std::size_t defaults = 0;
  for (const auto& item : items->get_array()) {
    const auto at = fmt::format("{}/{}", place, index++);
    auto one = load_case(loader, item, at);
    if (!one) {
      continue;
    }
    defaults += one->when.present() ? 0 : 1;
    if (!one->when.present() && defaults == 2) {
      loader.fail(at, "a second default case: at most one case may lack 'when'", 1001);
    }
    cases.push_back(std::move(*one));
  }
  if (items->get_array().empty()) {
    loader.fail(place, "found no cases, a switch has at least one", 1001);
  }
  return std::make_unique<Switch>(std::move(cases));
}

}  // namespace

void register_task_switch(TaskRegistry& registry) {
  registry.add({"switch", "Chooses where the flow goes.", {"switch"}, load});
}

}  // namespace aios::workflow
