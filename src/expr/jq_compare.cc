// SPDX-License-Identifier: Apache-2.0
#include "expr/detail/jq_compare.h"

#include "expr/detail/jq_text.h"

#include <algorithm>
#include <compare>
#include <numeric>

namespace aios::expr::detail {
namespace {

int order_of_doubles(double a, double b) {
  if (a < b) {
    return -1;
  }
  if (a == b) {
    return 0;
  }
  return a != a ? -1 : 1;  // nan sorts below every number, itself included
}

/// Exact where both are whole numbers that doubles cannot hold.
int order_of_numbers(const Value& a, const Value& b) {
  const auto* left = a.big_integer();
  const auto* right = b.big_integer();
  if (left == nullptr || right == nullptr) {
    return order_of_doubles(a.as_number(), b.as_number());
  }
  bool left_signed = left->is_int64();
  bool right_signed = right->is_int64();
  if (left_signed && right_signed) {
    auto by = left->get_int64() <=> right->get_int64();
    return by < 0 ? -1 : by > 0 ? 1 : 0;
  }
  if (!left_signed && !right_signed) {
    auto by = left->get_uint64() <=> right->get_uint64();
    return by < 0 ? -1 : by > 0 ? 1 : 0;
  }
  return order_of_doubles(a.as_number(), b.as_number());
}

int order_of_text(std::string_view a, std::string_view b) {
  auto by = a.compare(b);
  return by < 0 ? -1 : by > 0 ? 1 : 0;
}

class Comparison {
 public:
  explicit Comparison(Budget& budget) : budget_(budget) {}
  bool too_deep() const { return too_deep_; }

  int order(const Value& a, const Value& b, std::uint32_t depth) {
    if (stop(depth)) {
      return 0;
    }
    auto type = a.type();
    if (type != b.type()) {
      return type < b.type() ? -1 : 1;
    }
    switch (type) {
      case Type::number: return order_of_numbers(a, b);
      case Type::string: return order_of_text(a.text(), b.text());
      case Type::array: return arrays(a, b, depth);
      case Type::object: return objects(a, b, depth);
      default: return 0;
    }
  }

  bool same(const Value& a, const Value& b, std::uint32_t depth) {
    if (stop(depth) || a.type() != b.type()) {
      return false;
    }
    if (a.is_array()) {
      if (a.size() != b.size()) {
        return false;
      }
      for (std::size_t i = 0; i < a.size(); ++i) {
        if (!same(a.at(i), b.at(i), depth + 1)) {
          return false;
        }
      }
      return true;
    }
    if (!a.is_object()) {
      return order(a, b, depth) == 0;
    }
    if (a.size() != b.size()) {
      return false;
    }
    Value other;
    for (std::size_t i = 0; i < a.size(); ++i) {
      if (!b.find(a.key_at(i), &other) || !same(a.member_at(i), other, depth + 1)) {
        return false;
      }
    }
    return true;
  }

  bool within(const Value& a, const Value& b, std::uint32_t depth) {
    if (stop(depth)) {
      return false;
    }
    if (a.is_object() && b.is_object()) {
      Value mine;
      for (std::size_t i = 0; i < b.size(); ++i) {
        if (!a.find(b.key_at(i), &mine) || !within(mine, b.member_at(i), depth + 1)) {
          return false;
        }
      }
      return true;
    }
    if (a.is_array() && b.is_array()) {
      for (std::size_t i = 0; i < b.size(); ++i) {
        if (!any_contains(a, b.at(i), depth)) {
          return false;
        }
      }
      return true;
    }
    if (a.is_string() && b.is_string()) {
      return budget_.spend(1 + (a.text().size() + b.text().size()) / 64) &&
             find_text(a.text(), b.text()) != std::string_view::npos;
    }
    return same(a, b, depth);
  }

 private:
  bool stop(std::uint32_t depth) {
    if (depth > walk_depth_max) {
      too_deep_ = true;
    }
    return too_deep_ || !budget_.spend(1);
  }

  bool any_contains(const Value& a, const Value& wanted, std::uint32_t depth) {
    for (std::size_t i = 0; i < a.size(); ++i) {
      auto item = a.at(i);
      bool comparable = item.type() == wanted.type();
      if (comparable && within(item, wanted, depth + 1)) {
        return true;
      }
    }
    return false;
  }

  int arrays(const Value& a, const Value& b, std::uint32_t depth) {
    auto shared = std::min(a.size(), b.size());
    for (std::size_t i = 0; i < shared; ++i) {
      if (int by = order(a.at(i), b.at(i), depth + 1); by != 0) {
        return by;
      }
    }
    return a.size() < b.size() ? -1 : a.size() > b.size() ? 1 : 0;
  }

  int objects(const Value& a, const Value& b, std::uint32_t depth) {
    auto left = sorted_members(a);
    auto right = sorted_members(b);
    auto shared = std::min(left.size(), right.size());
    for (std::size_t i = 0; i < shared; ++i) {
      if (int by = order_of_text(a.key_at(left[i]), b.key_at(right[i])); by != 0) {
        return by;
      }
    }
    if (left.size() != right.size()) {
      return left.size() < right.size() ? -1 : 1;
    }
    for (std::size_t i = 0; i < shared; ++i) {
      int by = order(a.member_at(left[i]), b.member_at(right[i]), depth + 1);
      if (by != 0) {
        return by;
      }
    }
    return 0;
  }

  Budget& budget_;
  bool too_deep_ = false;
};

}  // namespace

std::vector<std::uint32_t> sorted_members(const Value& object) {
  std::vector<std::uint32_t> order(object.size());
  std::iota(order.begin(), order.end(), 0U);
  std::sort(order.begin(), order.end(), [&object](std::uint32_t a, std::uint32_t b) {
    return object.key_at(a) < object.key_at(b);
  });
  return order;
}

Walk compare(Budget& budget, const Value& a, const Value& b, int* order) {
  Comparison comparison(budget);
  *order = comparison.order(a, b, 0);
  return comparison.too_deep() ? Walk::too_deep : Walk::done;
}

Walk equal(Budget& budget, const Value& a, const Value& b, bool* same) {
  Comparison comparison(budget);
  *same = comparison.same(a, b, 0);
  return comparison.too_deep() ? Walk::too_deep : Walk::done;
}

Walk contains(Budget& budget, const Value& a, const Value& b, bool* result) {
  Comparison comparison(budget);
  *result = comparison.within(a, b, 0);
  return comparison.too_deep() ? Walk::too_deep : Walk::done;
}

bool sort_order(Budget& budget, const std::vector<Value>& keys, std::vector<std::uint32_t>* order) {
  order->resize(keys.size());
  std::iota(order->begin(), order->end(), 0U);
  Comparison comparison(budget);
  std::vector<std::uint32_t> merged(keys.size());
  // A merge sort of our own: it is stable, and ends whatever the comparison says (nan is below
  // itself).
  for (std::size_t width = 1; width < keys.size(); width *= 2) {
    for (std::size_t start = 0; start < keys.size(); start += 2 * width) {
      auto left = start;
      auto middle = std::min(start + width, keys.size());
      auto right = middle;
      auto end = std::min(start + 2 * width, keys.size());
      for (auto at = start; at < end; ++at) {
        bool take_right =
            left == middle ||
            (right < end && comparison.order(keys[(*order)[right]], keys[(*order)[left]], 0) < 0);
        merged[at] = take_right ? (*order)[right++] : (*order)[left++];
      }
    }
    order->swap(merged);
  }
  return !comparison.too_deep();
}

}  // namespace aios::expr::detail
