// SPDX-License-Identifier: Apache-2.0
#include "expr/detail/jq_value.h"

#include "expr/detail/jq_box.h"

#include <cmath>
#include <functional>

namespace aios::expr::detail {
namespace {

constexpr std::size_t small_object = 8;
constexpr std::int64_t exact_max = std::int64_t{1} << 53;

StringBox& string_box(Box* box) { return *static_cast<StringBox*>(box); }
ArrayBox& array_box(Box* box) { return *static_cast<ArrayBox*>(box); }
ObjectBox& object_box(Box* box) { return *static_cast<ObjectBox*>(box); }

void destroy(Box* box) {
  box->charge(0);
  switch (box->kind) {
    case Box::Kind::string: delete static_cast<StringBox*>(box); return;
    case Box::Kind::array: delete static_cast<ArrayBox*>(box); return;
    case Box::Kind::object: delete static_cast<ObjectBox*>(box); return;
  }
}

}  // namespace

std::size_t ObjectBox::position(std::string_view key) const {
  if (table.empty()) {
    for (std::size_t i = 0; i < members.size(); ++i) {
      if (members[i].key.text() == key) {
        return i;
      }
    }
    return members.size();
  }
  auto mask = table.size() - 1;
  for (auto slot = std::hash<std::string_view>()(key) & mask;; slot = (slot + 1) & mask) {
    auto entry = table[slot];
    if (entry == 0) {
      return members.size();
    }
    if (members[entry - 1].key.text() == key) {
      return entry - 1;
    }
  }
}

void ObjectBox::build_table() {
  table.clear();
  if (members.size() <= small_object) {
    return;
  }
  std::size_t slots = 32;
  while (slots < members.size() * 3) {
    slots *= 2;
  }
  table.resize(slots);
  for (std::size_t i = 0; i < members.size(); ++i) {
    auto slot = std::hash<std::string_view>()(members[i].key.text()) & (slots - 1);
    while (table[slot] != 0) {
      slot = (slot + 1) & (slots - 1);
    }
    table[slot] = static_cast<std::uint32_t>(i + 1);
  }
}

void ObjectBox::insert(Value key, Value value) {
  members.push_back({std::move(key), std::move(value)});
  if (members.size() > small_object && members.size() * 2 > table.size()) {
    build_table();
  } else if (!table.empty()) {
    auto slot = std::hash<std::string_view>()(members.back().key.text()) & (table.size() - 1);
    while (table[slot] != 0) {
      slot = (slot + 1) & (table.size() - 1);
    }
    table[slot] = static_cast<std::uint32_t>(members.size());
  }
  settle();
}

void ObjectBox::erase(std::size_t position) {
  members.erase(members.begin() + static_cast<std::ptrdiff_t>(position));
  build_table();
  settle();
}

Value Value::boolean(bool truth) {
  Value value;
  value.rep_ = truth ? Rep::true_ : Rep::false_;
  return value;
}

Value Value::number(double number) {
  Value value;
  value.rep_ = Rep::number;
  value.data_.number = number;
  return value;
}

Value Value::borrow_text(std::string_view text) {
  Value value;
  value.rep_ = Rep::text;
  value.length_ = static_cast<std::uint32_t>(text.size());
  value.data_.text = text.data();
  return value;
}

Value Value::string(Budget& budget, std::string text) {
  Value value;
  value.data_.box = new StringBox(budget, std::move(text));
  value.rep_ = Rep::string;
  return value;
}

Value Value::array(Budget& budget) {
  Value value;
  value.data_.box = new ArrayBox(budget);
  value.rep_ = Rep::array;
  return value;
}

Value Value::object(Budget& budget) {
  Value value;
  value.data_.box = new ObjectBox(budget);
  value.rep_ = Rep::object;
  return value;
}

Value Value::borrow(const Json& json) {
  Value value;
  switch (json.kind()) {
    case boost::json::kind::null: return value;
    case boost::json::kind::bool_: return boolean(json.get_bool());
    case boost::json::kind::double_: return number(json.get_double());
    case boost::json::kind::int64: {
      auto whole = json.get_int64();
      if (whole >= -exact_max && whole <= exact_max) {
        return number(static_cast<double>(whole));
      }
      value.rep_ = Rep::integer;
      break;
    }
    case boost::json::kind::uint64:
      if (json.get_uint64() <= static_cast<std::uint64_t>(exact_max)) {
        return number(static_cast<double>(json.get_uint64()));
      }
      value.rep_ = Rep::integer;
      break;
    case boost::json::kind::string: return borrow_text(view(json.get_string()));
    case boost::json::kind::array: value.rep_ = Rep::json_array; break;
    case boost::json::kind::object: value.rep_ = Rep::json_object; break;
  }
  value.data_.json = &json;
  return value;
}

void Value::hold() {
  if (is_boxed()) {
    ++data_.box->references;
  }
}

void Value::release() {
  auto* box = data_.box;
  if (--box->references != 0) {
    return;
  }
  auto* budget = box->budget;
  box->next_dying = budget->dying;
  budget->dying = box;
  if (budget->releasing) {
    return;  // the loop below is running further up and takes this box too
  }
  budget->releasing = true;
  while (budget->dying != nullptr) {
    auto* next = budget->dying;
    budget->dying = next->next_dying;
    destroy(next);
  }
  budget->releasing = false;
}

Type Value::type() const {
  switch (rep_) {
    case Rep::null: return Type::null;
    case Rep::false_: return Type::false_;
    case Rep::true_: return Type::true_;
    case Rep::number:
    case Rep::integer: return Type::number;
    case Rep::text:
    case Rep::string: return Type::string;
    case Rep::json_array:
    case Rep::array: return Type::array;
    case Rep::json_object:
    case Rep::object: break;
  }
  return Type::object;
}

double Value::as_number() const {
  if (rep_ == Rep::number) {
    return data_.number;
  }
  if (rep_ != Rep::integer) {
    return 0;
  }
  return data_.json->is_int64() ? static_cast<double>(data_.json->get_int64())
                                : static_cast<double>(data_.json->get_uint64());
}

std::string_view Value::text() const {
  if (rep_ == Rep::text) {
    return {data_.text, length_};
  }
  return rep_ == Rep::string ? std::string_view(string_box(data_.box).text) : std::string_view();
}

std::size_t Value::size() const {
  switch (rep_) {
    case Rep::json_array: return data_.json->get_array().size();
    case Rep::json_object: return data_.json->get_object().size();
    case Rep::array: return array_box(data_.box).items.size();
    case Rep::object: return object_box(data_.box).members.size();
    default: return 0;
  }
}

Value Value::at(std::size_t index) const {
  if (rep_ == Rep::json_array) {
    return borrow(data_.json->get_array()[index]);
  }
  return array_box(data_.box).items[index];
}

std::string_view Value::key_at(std::size_t index) const {
  if (rep_ == Rep::json_object) {
    auto key = (data_.json->get_object().begin() + static_cast<std::ptrdiff_t>(index))->key();
    return {key.data(), key.size()};
  }
  return object_box(data_.box).members[index].key.text();
}

Value Value::member_at(std::size_t index) const {
  if (rep_ == Rep::json_object) {
    auto member = data_.json->get_object().begin() + static_cast<std::ptrdiff_t>(index);
    return borrow(member->value());
  }
  return object_box(data_.box).members[index].value;
}

bool Value::find(std::string_view key, Value* out) const {
  if (rep_ == Rep::json_object) {
    const auto* member = data_.json->get_object().if_contains({key.data(), key.size()});
    if (member == nullptr) {
      return false;
    }
    *out = borrow(*member);
    return true;
  }
  const auto& box = object_box(data_.box);
  auto position = box.position(key);
  if (position == box.members.size()) {
    return false;
  }
  *out = box.members[position].value;
  return true;
}

}  // namespace aios::expr::detail
