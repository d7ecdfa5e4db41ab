// SPDX-License-Identifier: Apache-2.0
// fork: branches at one time. Each is a run of its own that goes through one list of this document
// (docs/adr/0006), so what they wait for overlaps.
#include "workflow/task_kind.h"

#include <fmt/format.h>

#include <utility>

namespace aios::workflow {
namespace {

constexpr std::size_t branches_max = 32;

class Fork final : public TaskBody {
 public:
  struct Branch {
    std::string name;
    std::uint32_t list = 0;
  };
  std::vector<Branch> branches;
  bool compete = false;

  Step start(TaskScope& scope) const override {
    Spawn spawn;
    spawn.until = compete ? Spawn::Until::first : Spawn::Until::all;
    for (const auto& branch : branches) {
      spawn.children.push_back({branch.name, "", branch.list, scope.input()});
    }
    return spawn;
  }

  Step children_done(TaskScope& /*scope*/, std::vector<Json> outputs) const override {
    if (compete) {
      return Done{std::move(outputs.front()), {}};
    }
    JsonArray all;
    for (auto& output : outputs) {
      all.push_back(std::move(output));
    }
    return Done{Json(std::move(all)), {}};
  }
};

std::unique_ptr<TaskBody> load(TaskLoader& loader, const Json& node, const std::string& pointer) {
  const auto* fork = loader.member(node, pointer, "fork", "object", true);
  if (fork == nullptr) {
    return nullptr;
  }
  const auto place = pointer + "/fork";
  loader.only(*fork, place, {"branches", "compete"});
  const auto* compete = loader.member(*fork, place, "compete", "boolean", false);
  const auto* branches = loader.member(*fork, place, "branches", "array", true);
  auto out = std::make_unique<Fork>();
  out->compete = compete != nullptr && compete->get_bool();
  if (branches == nullptr) {
    return nullptr;
  }
  const auto& items = branches->get_array();
  if (items.empty() || items.size() > branches_max) {
    loader.fail(place + "/branches",
                fmt::format("found {} branches, wanted 1 to {}", items.size(), branches_max), 1001);
    return nullptr;
  }
  for (std::size_t i = 0; i < items.size(); ++i) {
    const auto at = fmt::format("{}/branches/{}", place, i);
    const bool named = items[i].is_object() && items[i].get_object().size() == 1;
    Fork::Branch branch;
    branch.name = named ? std::string(items[i].get_object().begin()->key()) : "";
    for (const auto& other : out->branches) {
      if (named && other.name == branch.name) {
        loader.fail(at, fmt::format("a second branch named '{}'", branch.name), 1001);
      }
    }
    branch.list = loader.branch(items[i], at);
    out->branches.push_back(std::move(branch));
  }
  return out;
}

}  // namespace

void register_task_fork(TaskRegistry& registry) {
  registry.add({"fork", "Runs branches at one time.", {"fork"}, load});
}

}  // namespace aios::workflow
