// SPDX-License-Identifier: Apache-2.0
// Arrays and objects: keys, entries, sorting, grouping, searching.
#include "expr/detail/jq_compare.h"
#include "expr/detail/jq_machine.h"
#include "expr/detail/jq_natives.h"
#include "expr/detail/jq_paths.h"
#include "expr/detail/jq_print.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

namespace aios::expr::detail {
namespace {

bool complain(Machine& machine, const Value& value, std::string_view what) {
  return machine.raise(fmt::format("{} {}", described(machine.budget(), value), what));
}

Value key_text(Machine& machine, const Value& object, std::size_t index) {
  return machine.text(std::string(object.key_at(index)));
}

bool keys_in(Machine& machine, Value* input, bool sorted) {
  if (!input->is_array() && !input->is_object()) {
    return complain(machine, *input, "has no keys");
  }
  auto& budget = machine.budget();
  budget.spend(input->size());
  auto keys = Value::array(budget);
  if (input->is_array()) {
    for (std::size_t i = 0; i < input->size(); ++i) {
      keys.push(budget, Value::number(static_cast<double>(i)));
    }
  } else if (sorted) {
    for (auto index : sorted_members(*input)) {
      keys.push(budget, key_text(machine, *input, index));
    }
  } else {
    for (std::size_t i = 0; i < input->size(); ++i) {
      keys.push(budget, key_text(machine, *input, i));
    }
  }
  *input = std::move(keys);
  return true;
}

bool keys(Machine& machine, Value* input, Value*) { return keys_in(machine, input, true); }
bool keys_unsorted(Machine& machine, Value* input, Value*) {
  return keys_in(machine, input, false);
}

bool has(Machine& machine, Value* input, Value* arguments) {
  const auto& key = arguments[0];
  if (input->is_object() && key.is_string()) {
    Value ignored;
    *input = Value::boolean(input->find(key.text(), &ignored));
    return true;
  }
  if (input->is_array() && key.is_number()) {
    auto at = key.as_number();
    *input = Value::boolean(at >= 0 && at < static_cast<double>(input->size()));
    return true;
  }
  return machine.raise(fmt::format("Cannot check whether {} has a {} key", type_name(*input),
                                   key.is_string() ? "string" : type_name(key)));
}

bool add(Machine& machine, Value* input, Value*) {
  if (!input->is_array() && !input->is_object()) {
    return machine.raise(
        fmt::format("Cannot iterate over {}", described(machine.budget(), *input)));
  }
  Value sum;
  for (std::size_t i = 0; i < input->size() && machine.budget().spend(1); ++i) {
    auto next = input->is_array() ? input->at(i) : input->member_at(i);
    if (!arithmetic(machine, Arithmetic::add, std::move(sum), std::move(next), &sum)) {
      return false;
    }
  }
  *input = std::move(sum);
  return true;
}

bool to_entries(Machine& machine, Value* input, Value*) {
  if (!input->is_object() && !input->is_array()) {
    return complain(machine, *input, "has no keys");
  }
  auto& budget = machine.budget();
  auto entries = Value::array(budget);
  bool object = input->is_object();
  for (std::size_t i = 0; i < input->size() && budget.spend(1); ++i) {
    auto entry = Value::object(budget);
    entry.set_member(budget, Value::borrow_text("key"),
                     object ? key_text(machine, *input, i) : Value::number(static_cast<double>(i)));
    entry.set_member(budget, Value::borrow_text("value"),
                     object ? input->member_at(i) : input->at(i));
    entries.push(budget, std::move(entry));
  }
  *input = std::move(entries);
  return true;
}

/// The first of the members that is neither absent, null nor false; else whatever the last lookup
/// gave.
bool first_member(Machine& machine, const Value& entry, std::span<const std::string_view> names,
                  Value* out) {
  for (auto name : names) {
    if (!get_index(machine, entry, Value::borrow_text(name), out)) {
      return false;
    }
    if (out->truth() || (name == names.front() && !out->is_null())) {
      return true;
    }
  }
  return true;
}

bool from_entries(Machine& machine, Value* input, Value*) {
  constexpr std::string_view key_names[] = {"key", "k", "name", "Name", "K", "Key"};
  constexpr std::string_view value_names[] = {"value", "v", "Value", "V"};
  auto& budget = machine.budget();
  if (!input->is_array() && !input->is_object()) {
    return machine.raise(fmt::format("Cannot iterate over {}", described(budget, *input)));
  }
  auto object = Value::object(budget);
  for (std::size_t i = 0; i < input->size() && budget.spend(1); ++i) {
    auto entry = input->is_array() ? input->at(i) : input->member_at(i);
    Value key;
    if (!first_member(machine, entry, key_names, &key)) {
      return false;
    }
    if (!key.is_string()) {
      key = machine.text(json_text(budget, key));
    }
    Value value;
    for (auto name : value_names) {
      if (entry.is_object() && entry.find(name, &value)) {
        break;
      }
    }
    object.set_member(budget, key, std::move(value));
  }
  *input = std::move(object);
  return true;
}

bool flatten_into(Machine& machine, const Value& from, double depth, std::uint32_t level,
                  Value* out) {
  if (level > walk_depth_max) {
    return machine.raise("Flatten too deep");
  }
  for (std::size_t i = 0; i < from.size() && machine.budget().spend(1); ++i) {
    auto item = from.is_array() ? from.at(i) : from.member_at(i);
    if (!item.is_array() || depth == 0) {
      out->push(machine.budget(), std::move(item));
    } else if (!flatten_into(machine, item, depth - 1, level + 1, out)) {
      return false;
    }
  }
  return true;
}

bool flatten(Machine& machine, Value* input, Value* arguments) {
  if (!input->is_array() && !input->is_object()) {
    return machine.raise(
        fmt::format("Cannot iterate over {}", described(machine.budget(), *input)));
  }
  if (arguments[0].as_number() < 0) {
    return machine.raise("flatten depth must not be negative");
  }
  auto flat = Value::array(machine.budget());
  if (!flatten_into(machine, *input, arguments[0].as_number(), 0, &flat)) {
    return false;
  }
  *input = std::move(flat);
  return true;
}

/// The array's positions in the order of the keys; keys may be the array itself.
bool order_of(Machine& machine, const Value& array, const Value& sort_keys, std::string_view what,
              std::vector<std::uint32_t>* order) {
  if (!array.is_array()) {
    return complain(machine, array, fmt::format("cannot be {}, as it is not an array", what));
  }
  std::vector<Value> all;
  all.reserve(sort_keys.size());
  for (std::size_t i = 0; i < sort_keys.size(); ++i) {
    all.push_back(sort_keys.at(i));
  }
  return sort_order(machine.budget(), all, order) || machine.raise("Comparison too deep");
}

bool sort_by(Machine& machine, Value* input, Value* arguments) {
  std::vector<std::uint32_t> order;
  if (!order_of(machine, *input, arguments[0], "sorted", &order)) {
    return false;
  }
  auto sorted = Value::array(machine.budget());
  for (auto index : order) {
    sorted.push(machine.budget(), input->at(index));
  }
  *input = std::move(sorted);
  return true;
}

bool sort(Machine& machine, Value* input, Value*) {
  auto self = *input;
  return sort_by(machine, input, &self);
}

/// Elements with equal keys together, in the order of the keys.
bool group_by(Machine& machine, Value* input, Value* arguments) {
  std::vector<std::uint32_t> order;
  if (!order_of(machine, *input, arguments[0], "grouped", &order)) {
    return false;
  }
  auto& budget = machine.budget();
  auto groups = Value::array(budget);
  Value group;
  for (std::size_t i = 0; i < order.size(); ++i) {
    bool same = false;
    if (i > 0 && equal(budget, arguments[0].at(order[i - 1]), arguments[0].at(order[i]), &same) ==
                     Walk::too_deep) {
      return machine.raise("Comparison too deep");
    }
    if (!same) {
      if (i > 0) {
        groups.push(budget, std::move(group));
      }
      group = Value::array(budget);
    }
    group.push(budget, input->at(order[i]));
  }
  if (!order.empty()) {
    groups.push(budget, std::move(group));
  }
  *input = std::move(groups);
  return true;
}

bool unique_by(Machine& machine, Value* input, Value* arguments) {
  if (!group_by(machine, input, arguments)) {
    return false;
  }
  auto firsts = Value::array(machine.budget());
  for (std::size_t i = 0; i < input->size(); ++i) {
    firsts.push(machine.budget(), input->at(i).at(0));
  }
  *input = std::move(firsts);
  return true;
}

bool unique(Machine& machine, Value* input, Value*) {
  auto self = *input;
  return unique_by(machine, input, &self);
}

bool extreme(Machine& machine, Value* input, const Value& by, bool largest) {
  if (!input->is_array() || !by.is_array()) {
    return complain(machine, *input, "cannot be iterated over");
  }
  std::size_t best = 0;
  for (std::size_t i = 1; i < by.size(); ++i) {
    int order = 0;
    if (compare(machine.budget(), by.at(i), by.at(best), &order) == Walk::too_deep) {
      return machine.raise("Comparison too deep");
    }
    best = (largest ? order >= 0 : order < 0) ? i : best;
  }
  *input = by.size() == 0 ? Value() : input->at(best);
  return true;
}

bool min(Machine& machine, Value* input, Value*) {
  return extreme(machine, input, Value(*input), false);
}
bool max(Machine& machine, Value* input, Value*) {
  return extreme(machine, input, Value(*input), true);
}
bool min_by(Machine& machine, Value* input, Value* arguments) {
  return extreme(machine, input, arguments[0], false);
}
bool max_by(Machine& machine, Value* input, Value* arguments) {
  return extreme(machine, input, arguments[0], true);
}

bool reverse_array(Machine& machine, Value* input, Value*) {
  if (input->is_null()) {
    *input = Value::array(machine.budget());
    return true;
  }
  if (!input->is_array()) {
    return complain(machine, *input, "cannot be reversed, as it is not an array");
  }
  machine.budget().spend(input->size() / 8);
  auto& items = input->items(machine.budget());
  std::reverse(items.begin(), items.end());
  return true;
}

bool transpose(Machine& machine, Value* input, Value*) {
  if (!input->is_array()) {
    return complain(machine, *input, "cannot be transposed, as it is not an array");
  }
  auto& budget = machine.budget();
  std::size_t width = 0;
  for (std::size_t i = 0; i < input->size(); ++i) {
    auto row = input->at(i);
    if (!row.is_array()) {
      return complain(machine, row, "cannot be transposed, as it is not an array");
    }
    width = std::max(width, row.size());
  }
  auto turned = Value::array(budget);
  for (std::size_t column = 0; column < width && budget.spend(input->size()); ++column) {
    auto line = Value::array(budget);
    for (std::size_t i = 0; i < input->size(); ++i) {
      auto row = input->at(i);
      line.push(budget, column < row.size() ? row.at(column) : Value());
    }
    turned.push(budget, std::move(line));
  }
  *input = std::move(turned);
  return true;
}

/// The position, or -1 minus the position where it would have to be put.
bool search(Machine& machine, Value* input, Value* arguments) {
  if (!input->is_array()) {
    return complain(machine, *input, "cannot be searched from");
  }
  std::size_t low = 0;
  std::size_t high = input->size();
  while (low < high) {
    auto middle = low + (high - low) / 2;
    int order = 0;
    if (compare(machine.budget(), input->at(middle), arguments[0], &order) == Walk::too_deep) {
      return machine.raise("Comparison too deep");
    }
    if (order == 0) {
      *input = Value::number(static_cast<double>(middle));
      return true;
    }
    (order < 0 ? low : high) = order < 0 ? middle + 1 : middle;
  }
  *input = Value::number(-1 - static_cast<double>(low));
  return true;
}

constexpr std::array table = {
    Native{"keys", 0, keys},
    Native{"keys_unsorted", 0, keys_unsorted},
    Native{"has", 1, has},
    Native{"add", 0, add},
    Native{"to_entries", 0, to_entries},
    Native{"from_entries", 0, from_entries},
    Native{"flatten", 1, flatten},
    Native{"sort", 0, sort},
    Native{"_sort_by", 1, sort_by},
    Native{"_group_by", 1, group_by},
    Native{"unique", 0, unique},
    Native{"_unique_by", 1, unique_by},
    Native{"min", 0, min},
    Native{"max", 0, max},
    Native{"_min_by", 1, min_by},
    Native{"_max_by", 1, max_by},
    Native{"_reverse", 0, reverse_array},
    Native{"transpose", 0, transpose},
    Native{"bsearch", 1, search},
};

}  // namespace

std::span<const Native> collection_natives() { return table; }

}  // namespace aios::expr::detail
