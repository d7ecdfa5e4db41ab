// SPDX-License-Identifier: Apache-2.0
// Deleting many paths at once: negative positions and slices mean the array as it was before.
#include "expr/detail/jq_compare.h"
#include "expr/detail/jq_paths.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace aios::expr::detail {
namespace {

class Deletion {
 public:
  Deletion(Machine& machine, const std::vector<Value>& paths) : machine_(machine), paths_(paths) {}

  /// Deletes the sorted paths [first, last), alike in their first `at` keys, from the value there.
  bool run(Value* in, std::size_t first, std::size_t last, std::size_t at) {
    std::vector<Value> keys;
    while (last > first && machine_.budget().spend(1)) {
      auto key = paths_[last - 1].at(at);
      auto start = last - 1;
      bool same = true;
      while (start > first && same) {
        auto walk = equal(machine_.budget(), paths_[start - 1].at(at), key, &same);
        if (walk == Walk::too_deep) {
          return machine_.raise("Equality check too deep");
        }
        start -= same ? 1 : 0;
      }
      if (paths_[start].size() == at + 1) {
        keys.push_back(key);  // the whole value goes; what is deeper goes with it
      } else if (!inside(in, key, start, last, at)) {
        return false;
      }
      last = start;
    }
    return keys.empty() || erase(in, keys);
  }

 private:
  bool inside(Value* in, const Value& key, std::size_t first, std::size_t last, std::size_t at) {
    Value child;
    if (!get_index(machine_, *in, key, &child)) {
      return false;
    }
    if (child.is_null()) {
      return true;
    }
    return run(&child, first, last, at + 1) && set_index(machine_, in, key, std::move(child));
  }

  bool erase(Value* in, const std::vector<Value>& keys) {
    if (in->is_null()) {
      return true;
    }
    if (in->is_object()) {
      for (const auto& key : keys) {
        if (!key.is_string()) {
          return machine_.raise(fmt::format("Cannot delete field at {} index of object",
                                            key.is_number() ? "array" : type_name(key)));
        }
        in->erase_member(machine_.budget(), key.text());
      }
      return true;
    }
    if (!in->is_array()) {
      return machine_.raise(fmt::format("Cannot delete fields from {}", type_name(*in)));
    }
    return erase_elements(in, keys);
  }

  bool erase_elements(Value* in, const std::vector<Value>& keys) {
    std::vector<bool> gone(in->size(), false);
    auto size = static_cast<double>(in->size());
    for (const auto& key : keys) {
      if (key.is_object()) {
        if (!mark_slice(key, &gone)) {
          return false;
        }
      } else if (key.is_number()) {
        auto position = std::floor(key.as_number());
        position += position < 0 ? size : 0;
        if (position >= 0 && position < size) {
          gone[static_cast<std::size_t>(position)] = true;
        }
      } else {
        return machine_.raise("Cannot delete field at object index of array");
      }
    }
    auto& budget = machine_.budget();
    budget.spend(in->size() / 8);
    auto rest = Value::array(budget);
    auto& items = rest.items(budget);
    for (std::size_t i = 0; i < gone.size(); ++i) {
      if (!gone[i]) {
        items.push_back(in->at(i));
      }
    }
    rest.settle_items(budget);
    *in = std::move(rest);
    return true;
  }

  bool mark_slice(const Value& key, std::vector<bool>* gone) {
    // The slice of the positions themselves says which ones it means.
    auto& budget = machine_.budget();
    auto positions = Value::array(budget);
    for (std::size_t i = 0; i < gone->size(); ++i) {
      positions.push(budget, Value::number(static_cast<double>(i)));
    }
    Value meant;
    if (!get_index(machine_, positions, key, &meant)) {
      return false;
    }
    for (std::size_t i = 0; i < meant.size(); ++i) {
      (*gone)[static_cast<std::size_t>(meant.at(i).as_number())] = true;
    }
    return true;
  }

  Machine& machine_;
  const std::vector<Value>& paths_;
};

}  // namespace

bool delete_paths(Machine& machine, Value* in, const Value& paths) {
  if (!paths.is_array()) {
    return machine.raise("Paths must be specified as an array");
  }
  std::vector<Value> all;
  for (std::size_t i = 0; i < paths.size(); ++i) {
    auto path = paths.at(i);
    if (!check_path(machine, path)) {
      return false;
    }
    if (path.size() == 0) {
      *in = Value();
      return true;
    }
    all.push_back(std::move(path));
  }
  std::vector<std::uint32_t> order;
  if (!sort_order(machine.budget(), all, &order)) {
    return machine.raise("Comparison too deep");
  }
  std::vector<Value> sorted;
  for (auto index : order) {
    sorted.push_back(all[index]);
  }
  return Deletion(machine, sorted).run(in, 0, sorted.size(), 0);
}

}  // namespace aios::expr::detail
