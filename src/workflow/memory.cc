// SPDX-License-Identifier: Apache-2.0
// Governance memory: what a run inferred, retrieved, was told by systems and by people. It is
// bounded, and it goes with a step into a child and comes back from there, so that nothing is
// hidden from policy by moving it.
#include "workflow/detail/state.h"

#include <algorithm>
#include <utility>

namespace aios::workflow {
namespace {

/// Entries of one memory have few members: some of them within this are never too many.
constexpr std::size_t memory_member_bytes_max = memory_bytes_max / 8;

/// Entries of `child` that `base` does not end with: it began with those.
JsonArray learned(const JsonArray& base, const JsonArray& child) {
  auto same = std::min(base.size(), child.size());
  while (!std::equal(child.begin(), child.begin() + static_cast<std::ptrdiff_t>(same),
                     base.end() - static_cast<std::ptrdiff_t>(same))) {
    --same;  // with none left they are equal
  }
  JsonArray out;
  for (auto i = same; i < child.size(); ++i) {
    out.push_back(child[i]);
  }
  return out;
}

std::size_t add(JsonArray& memory, const JsonArray& base, const JsonArray& child) {
  std::size_t forgotten = 0;
  for (auto& entry : learned(base, child)) {
    if (entry.is_object()) {
      forgotten += remember(memory, std::move(entry.get_object()));
    }
  }
  return forgotten;
}

}  // namespace

std::size_t remember(JsonArray& memory, JsonObject entry) {
  std::size_t bytes = to_text(Json(entry)).size();
  if (bytes > memory_bytes_max) {
    for (auto& member : entry) {
      if (to_text(member.value()).size() > memory_member_bytes_max) {
        member.value() = nullptr;
      }
    }
    entry["too_large"] = true;
    bytes = to_text(Json(entry)).size();
  }
  std::size_t kept = 0;  // of the newest
  while (kept < memory.size() && kept + 1 < memory_max) {
    bytes += to_text(memory[memory.size() - 1 - kept]).size();
    if (bytes > memory_bytes_max) {
      break;
    }
    ++kept;
  }
  const std::size_t forgotten = memory.size() - kept;
  memory.erase(memory.begin(), memory.end() - static_cast<std::ptrdiff_t>(kept));
  memory.emplace_back(std::move(entry));
  return forgotten;
}

void remember_result(RunState& state, JsonObject entry) {
  state.results_forgotten += remember(state.results, std::move(entry));
}

void forget_memory(RunState& state) {
  state.inferences.clear();
  state.retrievals.clear();
  state.results.clear();
  state.reviews.clear();
}

void copy_memory(RunState& child, const RunState& parent) {
  child.inferences = parent.inferences;
  child.retrievals = parent.retrievals;
  child.results = parent.results;
  child.results_forgotten = parent.results_forgotten;
  child.reviews = parent.reviews;
  child.labels = parent.labels;
  child.from_backup = parent.from_backup;
}

void merge_memory(RunState& state, const RunState& base, const RunState& child) {
  add(state.inferences, base.inferences, child.inferences);
  add(state.retrievals, base.retrievals, child.retrievals);
  add(state.reviews, base.reviews, child.reviews);
  state.results_forgotten += add(state.results, base.results, child.results);
  if (child.results_forgotten > base.results_forgotten) {
    state.results_forgotten += child.results_forgotten - base.results_forgotten;
  }
  state.labels |= child.labels;
  for (const Cost& cost : child.costs) {  // it began without any
    add_cost(state.costs, cost.currency, cost.nano, cost.estimated);
  }
}

}  // namespace aios::workflow
