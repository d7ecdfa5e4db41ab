// SPDX-License-Identifier: Apache-2.0
// for: a list of tasks, once for each item of a collection. A turn's input is what the turn before
// gave; the last turn's output is the task's. The collection is evaluated once: where the loop
// stands is in the frame's memory, so a crash goes on with the same turn.
#include "workflow/argument_name.h"
#include "workflow/task_kind.h"

#include <fmt/format.h>

#include <utility>

namespace aios::workflow {
namespace {

/// With one step a turn at least, all turns of a run are bounded by its steps as well.
constexpr std::size_t items_max = 100'000;

class For final : public TaskBody {
 public:
  Expression collection, condition;
  std::string each = "item";
  std::string at = "index";
  std::uint32_t list = 0;

  Step start(TaskScope& scope) const override {
    auto items = scope.evaluate(collection);
    if (!items.ok()) {
      return scope.expression_failed(items.error());
    }
    if (!items->is_array()) {
      return Raise{make_problem(
          ProblemType::expression,
          fmt::format("'for.in' gave {}, wanted an array [AIOS-1050]", type_name(*items)),
          scope.reference())};
    }
    const auto count = items->get_array().size();
    if (count > items_max) {
      return Raise{make_problem(
          ProblemType::runtime,
          fmt::format("'for.in' gave {} items, at most {} are gone through [AIOS-1051]", count,
                      items_max),
          scope.reference())};
    }
    scope.memory()["items"] = std::move(*items);
    return turn(scope, 0, scope.input());
  }

  Step child_done(TaskScope& scope, Json output) const override {
    const auto next = int_or(scope.memory(), "index", 0) + 1;
    return turn(scope, static_cast<std::size_t>(next), std::move(output));
  }

 private:
  Step turn(TaskScope& scope, std::size_t index, Json data) const {
    const auto& items = scope.memory()["items"].get_array();
    if (index >= items.size()) {
      return Done{std::move(data), {}};
    }
    JsonObject variables{{each, items[index]}, {at, index}};
    if (condition.present()) {
      auto holds = scope.evaluate(condition, data, variables);
      if (!holds.ok()) {
        return scope.expression_failed(holds.error());
      }
      if (!is_true(*holds)) {
        return Done{std::move(data), {}};
      }
    }
    scope.memory()["index"] = index;
    return Enter{list, std::move(data), std::move(variables)};
  }
};

std::unique_ptr<TaskBody> load(TaskLoader& loader, const Json& node, const std::string& pointer) {
  const auto* loop = loader.member(node, pointer, "for", "object", true);
  const auto* list = loader.member(node, pointer, "do", "array", true);
  const auto* condition = loader.member(node, pointer, "while", "string", false);
  if (loop == nullptr || list == nullptr) {
    return nullptr;
  }
  const auto place = pointer + "/for";
  loader.only(*loop, place, {"each", "in", "at"});
  auto out = std::make_unique<For>();
  out->each = argument_name(loader, *loop, place, "each", out->each);
  out->at = argument_name(loader, *loop, place, "at", out->at);
  if (out->each == out->at) {
    loader.fail(place,
                fmt::format("item and index are both named '{}', wanted two names", out->each),
                1001);
  }
  const auto* in = loader.member(*loop, place, "in", "string or array", true);
  if (in != nullptr) {
    const auto bare = in->is_string() ? BareText::expression : BareText::literal;
    out->collection = loader.expression(*in, place + "/in", bare, {});
  }
  const std::vector<std::string> variables = {out->each, out->at};
  if (condition != nullptr) {
    out->condition =
        loader.expression(*condition, pointer + "/while", BareText::expression, variables);
  }
  out->list = loader.tasks(*list, pointer + "/do", variables);
  return out;
}

}  // namespace

void register_task_for(TaskRegistry& registry) {
  registry.add(
      {"for", "Runs a list of tasks for each item of a collection.", {"for", "while", "do"}, load});
}

}  // namespace aios::workflow
