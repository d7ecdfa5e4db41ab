// SPDX-License-Identifier: Apache-2.0
// run: another workflow of the bundle, as a run of its own.
#include "workflow/task_kind.h"

#include <fmt/format.h>

#include <utility>

namespace aios::workflow {
namespace {

class Run final : public TaskBody {
 public:
  std::string workflow, version;
  Expression input;
  bool awaited = true;

  Step start(TaskScope& scope) const override {
    Json given = JsonObject();
    if (input.present()) {
      auto made = scope.evaluate(input);
      if (!made.ok()) {
        return scope.expression_failed(made.error());
      }
      given = std::move(*made);
    }
    Spawn spawn;
    spawn.until = awaited ? Spawn::Until::all : Spawn::Until::started;
    spawn.children.push_back({workflow, version, {}, std::move(given)});
    return spawn;
  }

  Step children_done(TaskScope& scope, std::vector<Json> outputs) const override {
    return Done{outputs.empty() ? scope.input() : std::move(outputs.front()), {}};
  }
};

std::string text_of(const Json* value) {
  return value == nullptr ? std::string() : std::string(view(value->get_string()));
}

std::unique_ptr<TaskBody> load(TaskLoader& loader, const Json& node, const std::string& pointer) {
  const auto* run = loader.member(node, pointer, "run", "object", true);
  if (run == nullptr) {
    return nullptr;
  }
  const auto place = pointer + "/run";
  for (const auto* absent : {"container", "script", "shell", "return"}) {
    if (find(*run, absent) != nullptr) {
      loader.fail(place + "/" + absent,
                  fmt::format("'run.{}' is not supported, for nothing of a bundle runs outside; "
                              "supported: workflow, await",
                              absent),
                  1002);
      return nullptr;
    }
  }
  loader.only(*run, place, {"workflow", "await"});
  const auto* awaited = loader.member(*run, place, "await", "boolean", false);
  const auto* workflow = loader.member(*run, place, "workflow", "object", true);
  if (workflow == nullptr) {
    return nullptr;
  }
  const auto at = place + "/workflow";
  loader.only(*workflow, at, {"namespace", "name", "version", "input"});
  const auto space = text_of(loader.member(*workflow, at, "namespace", "string", true));
  const auto name = text_of(loader.member(*workflow, at, "name", "string", true));
  auto out = std::make_unique<Run>();
  out->awaited = awaited == nullptr || awaited->get_bool();
  out->workflow = space + "/" + name;
  out->version = text_of(loader.member(*workflow, at, "version", "string", true));
  if (out->version == "latest") {
    out->version.clear();
  }
  if (const auto* input = find(*workflow, "input"); input != nullptr) {
    out->input = loader.expression(*input, at + "/input", BareText::literal, {});
  }
  if (!space.empty() && !name.empty()) {
    loader.runs(out->workflow, out->version, at + "/name");
  }
  return out;
}

}  // namespace

void register_task_run(TaskRegistry& registry) {
  registry.add({"run", "Runs another workflow.", {"run"}, load});
}

}  // namespace aios::workflow
