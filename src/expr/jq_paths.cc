// SPDX-License-Identifier: Apache-2.0
#include "expr/detail/jq_paths.h"

#include "expr/detail/jq_compare.h"
#include "expr/detail/jq_print.h"
#include "expr/detail/jq_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace aios::expr::detail {
namespace {

constexpr double index_max = 536870911;

bool cannot_index(Machine& machine, const Value& from, const Value& key) {
  return machine.raise(
      fmt::format("Cannot index {} with {}", type_name(from), described(machine.budget(), key)));
}

struct Range {
  std::size_t first = 0;
  std::size_t last = 0;
};

/// null stands for the end it is at; negative counts from the back; fractions round outwards.
bool range_of(Machine& machine, const Value& first, const Value& last, std::size_t size,
              Range* range) {
  bool valid = (first.is_null() || first.is_number()) && (last.is_null() || last.is_number());
  if (!valid) {
    return machine.raise("Start and end indices of an array slice must be numbers");
  }
  auto length = static_cast<double>(size);
  auto from = first.is_null() ? 0 : first.as_number();
  auto to = last.is_null() ? length : last.as_number();
  from = std::isnan(from) ? 0 : from;
  to = std::isnan(to) ? length : to;
  from += from < 0 ? length : 0;
  to += to < 0 ? length : 0;
  from = std::clamp(std::floor(from), 0.0, length);
  to = std::clamp(std::ceil(to), from, length);
  *range = {static_cast<std::size_t>(from), static_cast<std::size_t>(to)};
  return true;
}

Value member_or_null(const Value& object, std::string_view key) {
  Value found;
  object.find(key, &found);
  return found;
}

/// Positions where the other array stands in this one.
bool positions_of(Machine& machine, const Value& in, const Value& of, Value* out) {
  *out = Value::array(machine.budget());
  for (std::size_t at = 0; of.size() > 0 && at + of.size() <= in.size(); ++at) {
    bool same = true;
    for (std::size_t i = 0; same && i < of.size(); ++i) {
      if (equal(machine.budget(), in.at(at + i), of.at(i), &same) == Walk::too_deep) {
        return machine.raise("Equality check too deep");
      }
    }
    if (same) {
      out->push(machine.budget(), Value::number(static_cast<double>(at)));
    }
  }
  return true;
}

/// The array position a number means; false when it is before the start or no number.
bool position_of(const Value& key, std::size_t size, double* position) {
  *position = std::floor(key.as_number());
  *position += *position < 0 ? static_cast<double>(size) : 0;
  return *position >= 0;
}

bool set_slice(Machine& machine, Value* in, const Value& key, const Value& value) {
  if (in->is_string()) {
    return machine.raise("Cannot update string slices");
  }
  if (!in->is_array() && !in->is_null()) {
    return machine.raise(fmt::format("Cannot update field at object index of {}", type_name(*in)));
  }
  Range range;
  if (!range_of(machine, member_or_null(key, "start"), member_or_null(key, "end"), in->size(),
                &range)) {
    return false;
  }
  if (!value.is_array()) {
    return machine.raise("A slice of an array can only be assigned another array");
  }
  auto& budget = machine.budget();
  auto result = Value::array(budget);
  budget.spend((in->size() + value.size()) / 8);
  auto& items = result.items(budget);
  for (std::size_t i = 0; i < range.first; ++i) {
    items.push_back(in->at(i));
  }
  for (std::size_t i = 0; i < value.size(); ++i) {
    items.push_back(value.at(i));
  }
  for (std::size_t i = range.last; i < in->size(); ++i) {
    items.push_back(in->at(i));
  }
  result.settle_items(budget);
  *in = std::move(result);
  return true;
}

}  // namespace

Value slice_key(Machine& machine, const Value& first, const Value& last) {
  auto key = Value::object(machine.budget());
  key.set_member(machine.budget(), Value::borrow_text("start"), first);
  key.set_member(machine.budget(), Value::borrow_text("end"), last);
  return key;
}

bool get_slice(Machine& machine, const Value& from, const Value& first, const Value& last,
               Value* out) {
  bool string = from.is_string();
  Range range;
  auto size = string ? count_code_points(from.text()) : from.size();
  machine.budget().spend(from.text().size() / 64);
  if (!range_of(machine, first, last, size, &range)) {
    return false;
  }
  if (string) {
    auto text = from.text();
    auto start = byte_offset(text, range.first);
    auto length = byte_offset(text.substr(start), range.last - range.first);
    *out = machine.text(std::string(text.substr(start, length)));
    return true;
  }
  auto& budget = machine.budget();
  *out = Value::array(budget);
  budget.spend((range.last - range.first) / 8);
  auto& items = out->items(budget);
  items.reserve(range.last - range.first);
  for (auto i = range.first; i < range.last; ++i) {
    items.push_back(from.at(i));
  }
  out->settle_items(budget);
  return true;
}

bool get_index(Machine& machine, const Value& from, const Value& key, Value* out) {
  if (from.is_object() && key.is_string()) {
    *out = member_or_null(from, key.text());
    return true;
  }
  if (from.is_array() && key.is_number()) {
    double position = 0;
    bool inside =
        position_of(key, from.size(), &position) && position < static_cast<double>(from.size());
    *out = inside ? from.at(static_cast<std::size_t>(position)) : Value();
    return true;
  }
  if (key.is_object() && (from.is_array() || from.is_string())) {
    return get_slice(machine, from, member_or_null(key, "start"), member_or_null(key, "end"), out);
  }
  if (from.is_array() && key.is_array()) {
    return positions_of(machine, from, key, out);
  }
  bool of_null =
      from.is_null() && (key.is_string() || key.is_number() || key.is_null() || key.is_object());
  if (of_null) {
    *out = Value();
    return true;
  }
  return cannot_index(machine, from, key);
}

bool set_index(Machine& machine, Value* in, const Value& key, Value value) {
  auto& budget = machine.budget();
  if (key.is_string() && (in->is_object() || in->is_null())) {
    if (in->is_null()) {
      *in = Value::object(budget);
    }
    in->set_member(budget, key, std::move(value));
    return true;
  }
  if (key.is_number() && (in->is_array() || in->is_null())) {
    double position = 0;
    if (std::isnan(key.as_number())) {
      return machine.raise("Cannot set array element at NaN index");
    }
    if (!position_of(key, in->size(), &position)) {
      return machine.raise("Out of bounds negative array index");
    }
    if (position > index_max) {
      return machine.raise("Array index too large");
    }
    if (in->is_null()) {
      *in = Value::array(budget);
    }
    in->set_at(budget, static_cast<std::size_t>(position), std::move(value));
    return true;
  }
  if (key.is_object()) {
    return set_slice(machine, in, key, value);
  }
  if (key.is_array() && in->is_array()) {
    return machine.raise("Cannot update field at array index of array");
  }
  return cannot_index(machine, *in, key);
}

bool check_path(Machine& machine, const Value& path) {
  if (!path.is_array()) {
    return machine.raise("Path must be specified as an array");
  }
  return path.size() <= walk_depth_max || machine.raise("Path too deep");
}

bool get_path(Machine& machine, Value from, const Value& path, Value* out) {
  for (std::size_t i = 0; i < path.size() && !from.is_null(); ++i) {
    Value next;
    machine.budget().spend(1);
    if (!get_index(machine, from, path.at(i), &next)) {
      return false;
    }
    from = std::move(next);
  }
  *out = std::move(from);
  return true;
}

bool set_path(Machine& machine, Value* in, const Value& path, std::size_t at, Value value) {
  if (at == path.size()) {
    *in = std::move(value);
    return true;
  }
  auto key = path.at(at);
  Value child;
  if (!machine.budget().spend(1) || !get_index(machine, *in, key, &child)) {
    return false;
  }
  // Out of its place while it changes, so that nobody else holds it and it changes where it is.
  if (in->is_object() && key.is_string() && (child.is_array() || child.is_object())) {
    child = in->take_member(machine.budget(), key.text());
  } else if (in->is_array() && key.is_number() && (child.is_array() || child.is_object())) {
    double position = 0;
    position_of(key, in->size(), &position);
    child = in->take_at(machine.budget(), static_cast<std::size_t>(position));
  }
  return set_path(machine, &child, path, at + 1, std::move(value)) &&
         set_index(machine, in, key, std::move(child));
}

bool take_path(Machine& machine, Value* in, const Value& path, std::size_t at, Value* out) {
  if (at == path.size()) {
    out->swap(*in);
    return true;
  }
  auto key = path.at(at);
  Value child;
  if (!machine.budget().spend(1) || !get_index(machine, *in, key, &child)) {
    return false;
  }
  bool member = in->is_object() && key.is_string() && !child.is_null();
  bool element = in->is_array() && key.is_number() && !child.is_null();
  if (!member && !element) {
    Value rest = std::move(child);
    for (++at; at < path.size() && !rest.is_null(); ++at) {
      Value next;
      if (!get_index(machine, rest, path.at(at), &next)) {
        return false;
      }
      rest = std::move(next);
    }
    *out = std::move(rest);
    return true;
  }
  if (member) {
    child = in->take_member(machine.budget(), key.text());
    bool done = take_path(machine, &child, path, at + 1, out);
    in->set_member(machine.budget(), key, std::move(child));
    return done;
  }
  double position = 0;
  position_of(key, in->size(), &position);
  child = in->take_at(machine.budget(), static_cast<std::size_t>(position));
  bool done = take_path(machine, &child, path, at + 1, out);
  in->set_at(machine.budget(), static_cast<std::size_t>(position), std::move(child));
  return done;
}

}  // namespace aios::expr::detail
