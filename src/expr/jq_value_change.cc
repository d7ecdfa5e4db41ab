// SPDX-License-Identifier: Apache-2.0
// Changing values in place, or making the private copy first.
#include "expr/detail/jq_box.h"
#include "expr/detail/jq_value.h"

#include <algorithm>

namespace aios::expr::detail {
namespace {

ArrayBox& array_box(Box* box) { return *static_cast<ArrayBox*>(box); }
ObjectBox& object_box(Box* box) { return *static_cast<ObjectBox*>(box); }

/// Keys of borrowed objects are borrowed too; nothing but the table of members is copied.
void copy_members(const Value& from, ObjectBox& to) {
  to.members.reserve(from.size());
  for (std::size_t i = 0; i < from.size(); ++i) {
    to.members.push_back({Value::borrow_text(from.key_at(i)), from.member_at(i)});
  }
}

}  // namespace

void Value::own(Budget& budget) {
  if (is_boxed() && data_.box->references == 1) {
    return;
  }
  budget.spend(size() / 8);
  if (is_array()) {
    auto fresh = array(budget);
    auto& box = array_box(fresh.data_.box);
    box.depth = std::max(depth(), 1U);
    if (rep_ == Rep::array) {
      box.items = array_box(data_.box).items;
    } else {
      box.items.reserve(size());
      for (std::size_t i = 0; i < size(); ++i) {
        box.items.push_back(at(i));
      }
    }
    box.settle();
    swap(fresh);
  } else if (is_object()) {
    auto fresh = object(budget);
    auto& box = object_box(fresh.data_.box);
    box.depth = std::max(depth(), 1U);
    if (rep_ == Rep::object) {
      box.members = object_box(data_.box).members;
      box.table = object_box(data_.box).table;
    } else {
      copy_members(*this, box);
      box.build_table();
    }
    box.settle();
    swap(fresh);
  }
}

/// A container is one level deeper than its deepest child; deeper than allowed stops the
/// evaluation.
void Value::nest(Budget& budget, const Value& child) {
  auto wanted = child.depth() + 1;
  if (wanted > data_.box->depth) {
    data_.box->depth = wanted;
    if (wanted > budget.depth_max) {
      budget.fail(Budget::Limit::depth);
    }
  }
}

std::uint32_t Value::depth() const { return is_boxed() ? data_.box->depth : 0; }

void Value::push(Budget& budget, Value item) {
  own(budget);
  nest(budget, item);
  auto& box = array_box(data_.box);
  auto room = box.items.capacity();
  box.items.push_back(std::move(item));
  if (box.items.capacity() != room) {
    box.settle();
  }
}

void Value::set_at(Budget& budget, std::size_t index, Value item) {
  if (index >= size() && !budget.fits((index + 1) * sizeof(Value))) {
    return;
  }
  own(budget);
  nest(budget, item);
  auto& box = array_box(data_.box);
  if (index >= box.items.size()) {
    if (index >= box.items.capacity()) {
      box.items.reserve(std::max(index + 1, box.items.capacity() * 2));
    }
    box.items.resize(index + 1);
    box.settle();
  }
  box.items[index] = std::move(item);
}

Value Value::take_at(Budget& budget, std::size_t index) {
  own(budget);
  return std::exchange(array_box(data_.box).items[index], Value());
}

std::vector<Value>& Value::items(Budget& budget) {
  own(budget);
  return array_box(data_.box).items;
}

void Value::settle_items(Budget& budget) {
  auto& box = array_box(data_.box);
  for (const auto& item : box.items) {
    nest(budget, item);
  }
  box.settle();
}

void Value::set_member(Budget& budget, const Value& key, Value member) {
  own(budget);
  nest(budget, member);
  auto& box = object_box(data_.box);
  auto position = box.position(key.text());
  if (position < box.members.size()) {
    box.members[position].value = std::move(member);
  } else {
    box.insert(key, std::move(member));
  }
}

Value Value::take_member(Budget& budget, std::string_view key) {
  own(budget);
  auto& box = object_box(data_.box);
  auto position = box.position(key);
  if (position == box.members.size()) {
    return {};
  }
  return std::exchange(box.members[position].value, Value());
}

void Value::erase_member(Budget& budget, std::string_view key) {
  own(budget);
  auto& box = object_box(data_.box);
  auto position = box.position(key);
  if (position < box.members.size()) {
    budget.spend(1 + box.members.size() / 8);
    box.erase(position);
  }
}

void Value::append_text(Budget& budget, std::string_view more) {
  if (!budget.fits(text().size() + more.size())) {
    return;
  }
  if (rep_ == Rep::string && data_.box->references == 1) {
    auto& box = *static_cast<StringBox*>(data_.box);
    box.text.append(more);
    box.settle();
    return;
  }
  std::string joined;
  joined.reserve(text().size() + more.size());
  joined.append(text()).append(more);
  *this = string(budget, std::move(joined));
}

bool Value::identical(const Value& other) const {
  if (rep_ != other.rep_) {
    return false;
  }
  switch (rep_) {
    case Rep::null:
    case Rep::false_:
    case Rep::true_: return true;
    case Rep::number:
      return data_.number == other.data_.number ||
             (data_.number != data_.number && other.data_.number != other.data_.number);
    case Rep::text: return data_.text == other.data_.text && length_ == other.length_;
    case Rep::integer:
    case Rep::json_array:
    case Rep::json_object: return data_.json == other.data_.json;
    case Rep::string:
    case Rep::array:
    case Rep::object: break;
  }
  return data_.box == other.data_.box;
}

std::string_view type_name(const Value& value) {
  switch (value.type()) {
    case Type::null: return "null";
    case Type::false_:
    case Type::true_: return "boolean";
    case Type::number: return "number";
    case Type::string: return "string";
    case Type::array: return "array";
    case Type::object: break;
  }
  return "object";
}

}  // namespace aios::expr::detail
