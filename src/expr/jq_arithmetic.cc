// SPDX-License-Identifier: Apache-2.0
#include "expr/detail/jq_compare.h"
#include "expr/detail/jq_paths.h"
#include "expr/detail/jq_print.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdint>
#include <limits>

namespace aios::expr::detail {
namespace {

constexpr double text_bytes_max = 2147483647;

bool cannot(Machine& machine, const Value& left, const Value& right, std::string_view what) {
  return machine.raise(fmt::format("{} and {} cannot be {}", described(machine.budget(), left),
                                   described(machine.budget(), right), what));
}

bool merge(Machine& machine, Value* into, const Value& from, std::uint32_t depth) {
  if (depth > walk_depth_max) {
    return machine.raise("Object merge too deep");
  }
  auto& budget = machine.budget();
  for (std::size_t i = 0; i < from.size() && budget.spend(1); ++i) {
    auto key = machine.text(std::string(from.key_at(i)));
    auto theirs = from.member_at(i);
    Value ours;
    if (theirs.is_object() && into->find(key.text(), &ours) && ours.is_object()) {
      ours = into->take_member(budget, key.text());
      if (!merge(machine, &ours, theirs, depth + 1)) {
        return false;
      }
      theirs = std::move(ours);
    }
    into->set_member(budget, key, std::move(theirs));
  }
  return true;
}

bool add(Machine& machine, Value left, Value right, Value* out) {
  auto& budget = machine.budget();
  if (left.is_null() || right.is_null()) {
    *out = left.is_null() ? std::move(right) : std::move(left);
    return true;
  }
  if (left.is_string() && right.is_string()) {
    left.append_text(budget, right.text());
    budget.spend(right.text().size() / 64);
  } else if (left.is_array() && right.is_array()) {
    for (std::size_t i = 0; i < right.size() && (i % 8 != 0 || budget.spend(1)); ++i) {
      left.push(budget, right.at(i));
    }
  } else if (left.is_object() && right.is_object()) {
    for (std::size_t i = 0; i < right.size() && budget.spend(1); ++i) {
      left.set_member(budget, machine.text(std::string(right.key_at(i))), right.member_at(i));
    }
  } else {
    return cannot(machine, left, right, "added");
  }
  *out = std::move(left);
  return true;
}

bool subtract(Machine& machine, const Value& left, const Value& right, Value* out) {
  if (!left.is_array() || !right.is_array()) {
    return cannot(machine, left, right, "subtracted");
  }
  *out = Value::array(machine.budget());
  for (std::size_t i = 0; i < left.size(); ++i) {
    auto item = left.at(i);
    bool found = false;
    for (std::size_t k = 0; k < right.size() && !found; ++k) {
      if (equal(machine.budget(), item, right.at(k), &found) == Walk::too_deep) {
        return machine.raise("Equality check too deep");
      }
    }
    if (!found) {
      out->push(machine.budget(), std::move(item));
    }
  }
  return true;
}

/// Negative and nan: null; else the text as often as the number says, fractions cut off.
bool repeat(Machine& machine, const Value& string, double times, Value* out) {
  if (!(times >= 0)) {
    *out = Value();
    return true;
  }
  auto text = string.text();
  times = text.empty() ? 0 : std::floor(times);
  auto bytes = static_cast<double>(text.size()) * times;
  if (bytes > text_bytes_max) {
    return machine.raise("Repeat string result too long");
  }
  std::string repeated;
  if (machine.budget().fits(static_cast<std::size_t>(bytes)) &&
      machine.budget().spend(static_cast<std::uint64_t>(bytes / 64))) {
    repeated.reserve(static_cast<std::size_t>(bytes));
    while (static_cast<double>(repeated.size()) < bytes) {
      repeated.append(text);
    }
  }
  *out = machine.text(std::move(repeated));
  return true;
}

bool multiply(Machine& machine, Value left, Value right, Value* out) {
  if (left.is_string() && right.is_number()) {
    return repeat(machine, left, right.as_number(), out);
  }
  if (left.is_number() && right.is_string()) {
    return repeat(machine, right, left.as_number(), out);
  }
  if (left.is_object() && right.is_object()) {
    bool done = merge(machine, &left, right, 0);
    *out = std::move(left);
    return done;
  }
  return cannot(machine, left, right, "multiplied");
}

std::int64_t whole(double number) {
  constexpr auto least = static_cast<double>(std::numeric_limits<std::int64_t>::min());
  if (number < least) {
    return std::numeric_limits<std::int64_t>::min();
  }
  return -number <= least ? std::numeric_limits<std::int64_t>::max()
                          : static_cast<std::int64_t>(number);
}

bool remainder_of(Machine& machine, const Value& left, const Value& right, Value* out) {
  if (!left.is_number() || !right.is_number()) {
    return cannot(machine, left, right, "divided (remainder)");
  }
  auto a = left.as_number();
  auto b = right.as_number();
  if (std::isnan(a) || std::isnan(b)) {
    *out = Value::number(std::numeric_limits<double>::quiet_NaN());
    return true;
  }
  auto divisor = whole(b);
  if (divisor == 0) {
    return cannot(machine, left, right, "divided (remainder) because the divisor is zero");
  }
  *out = Value::number(divisor == -1 ? 0 : static_cast<double>(whole(a) % divisor));
  return true;
}

bool divide(Machine& machine, const Value& left, const Value& right, Value* out) {
  if (left.is_number() && right.is_number()) {
    if (right.as_number() == 0) {
      return cannot(machine, left, right, "divided because the divisor is zero");
    }
    *out = Value::number(left.as_number() / right.as_number());
    return true;
  }
  if (!left.is_string() || !right.is_string()) {
    return cannot(machine, left, right, "divided");
  }
  *out = Value::array(machine.budget());
  split_text(machine, left.text(), right.text(), out);
  return true;
}

bool ordered(Machine& machine, Arithmetic operation, const Value& left, const Value& right,
             Value* out) {
  if (operation == Arithmetic::equal || operation == Arithmetic::unequal) {
    bool same = false;
    if (equal(machine.budget(), left, right, &same) == Walk::too_deep) {
      return machine.raise("Equality check too deep");
    }
    *out = Value::boolean(same == (operation == Arithmetic::equal));
    return true;
  }
  int order = 0;
  if (compare(machine.budget(), left, right, &order) == Walk::too_deep) {
    return machine.raise("Comparison too deep");
  }
  bool result = operation == Arithmetic::less      ? order < 0
                : operation == Arithmetic::at_most ? order <= 0
                : operation == Arithmetic::more    ? order > 0
                                                   : order >= 0;
  *out = Value::boolean(result);
  return true;
}

}  // namespace

bool arithmetic(Machine& machine, Arithmetic operation, Value left, Value right, Value* out) {
  bool numbers = left.is_number() && right.is_number();
  switch (operation) {
    case Arithmetic::add:
      if (numbers) {
        *out = Value::number(left.as_number() + right.as_number());
        return true;
      }
      return add(machine, std::move(left), std::move(right), out);
    case Arithmetic::subtract:
      if (numbers) {
        *out = Value::number(left.as_number() - right.as_number());
        return true;
      }
      return subtract(machine, left, right, out);
    case Arithmetic::multiply:
      if (numbers) {
        *out = Value::number(left.as_number() * right.as_number());
        return true;
      }
      return multiply(machine, std::move(left), std::move(right), out);
    case Arithmetic::divide: return divide(machine, left, right, out);
    case Arithmetic::remainder: return remainder_of(machine, left, right, out);
    default: return ordered(machine, operation, left, right, out);
  }
}

}  // namespace aios::expr::detail
