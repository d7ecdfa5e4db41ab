// SPDX-License-Identifier: Apache-2.0
// The instructions, from frequent to rare.
#include "expr/detail/jq_compare.h"
#include "expr/detail/jq_machine.h"
#include "expr/detail/jq_natives.h"
#include "expr/detail/jq_paths.h"
#include "expr/detail/jq_print.h"

#include <fmt/format.h>

namespace aios::expr::detail {

Machine::Flow Machine::step(const Instruction& at) {
  switch (at.op) {
    case Op::load_constant: replace(Value::borrow(constant(at.c))); return Flow::go;
    case Op::push_constant: {
      auto input = pop();
      push(Value::borrow(constant(at.c)));
      push(std::move(input));
      return Flow::go;
    }
    case Op::index_constant: return index(Value::borrow(constant(at.c)));
    case Op::index: {
      auto from = pop();
      auto key = pop();
      push(std::move(from));
      return index(key);
    }
    case Op::subexpression_begin:
      ++quiet_;
      push(Value(values_[top_ - 1].value));
      return Flow::go;
    case Op::subexpression_end: {
      --quiet_;
      auto result = pop();
      auto input = pop();
      push(std::move(result));
      push(std::move(input));
      return Flow::go;
    }
    case Op::insert_constant: return insert(Value::borrow(constant(at.c)));
    case Op::fork: fork(); return Flow::go;
    case Op::jump: code_ = at.c; return Flow::go;
    case Op::backtrack: return Flow::back;
    case Op::binary: return binary(static_cast<Arithmetic>(at.a));
    case Op::ret: return ret();
    default: return step_variables(at);
  }
}

Machine::Flow Machine::step_variables(const Instruction& at) {
  switch (at.op) {
    case Op::load_variable: replace(local(at.b, at.c)); return Flow::go;
    case Op::push_variable: {
      auto input = pop();
      push(local(at.b, at.c));
      push(std::move(input));
      return Flow::go;
    }
    case Op::push_plain: push(local(at.b, at.c)); return Flow::go;
    case Op::store: local(at.b, at.c) = pop(); return Flow::go;
    case Op::store_under: {
      auto input = pop();
      local(at.b, at.c) = pop();
      push(std::move(input));
      return Flow::go;
    }
    case Op::take: replace(std::exchange(local(0, at.c), Value())); return Flow::go;
    case Op::push_take: push(std::exchange(local(0, at.c), Value())); return Flow::go;
    case Op::set_null: local(0, at.c) = Value(); return Flow::go;
    case Op::set_false: local(0, at.c) = Value::boolean(false); return Flow::go;
    case Op::set_true: local(0, at.c) = Value::boolean(true); return Flow::go;
    case Op::set_empty_array: local(0, at.c) = Value::array(budget_); return Flow::go;
    case Op::append: local(0, at.c).push(budget_, pop()); return Flow::go;
    default: return step_control(at);
  }
}

Machine::Flow Machine::step_control(const Instruction& at) {
  switch (at.op) {
    case Op::jump_false:
    case Op::jump_true:
    case Op::select: {
      auto input = pop();
      bool truth = pop().truth();
      push(std::move(input));
      if (at.op == Op::select) {
        return truth ? Flow::go : Flow::back;
      }
      code_ = truth == (at.op == Op::jump_true) ? at.c : code_;
      return Flow::go;
    }
    case Op::jump_null_false:
      code_ = values_[top_ - 1].value.truth() ? code_ : at.c;
      return Flow::go;
    case Op::back_if: return local(0, at.c).truth() ? Flow::back : Flow::go;
    case Op::each: return each();
    case Op::call: return call(at);
    case Op::call_parameter: return call_parameter(at);
    case Op::native: return native(at);
    case Op::duplicate: push(Value(values_[top_ - 1].value)); return Flow::go;
    case Op::pop: pop(); return Flow::go;
    case Op::push_null: push(Value()); return Flow::go;
    case Op::quiet_begin: ++quiet_; return Flow::go;
    case Op::quiet_end: --quiet_; return Flow::go;
    case Op::try_begin:
    case Op::try_end:
    case Op::alternative: fork(); return Flow::go;
    default: return step_rare(at);
  }
}

Machine::Flow Machine::step_rare(const Instruction& at) {
  switch (at.op) {
    case Op::swap: {
      auto top = pop();
      auto below = pop();
      push(std::move(top));
      push(std::move(below));
      return Flow::go;
    }
    case Op::slice: return slice();
    case Op::get_path: return get_path();
    case Op::path_begin: path_begin(); return Flow::go;
    case Op::path_end: return path_end();
    case Op::insert: {
      // [object, key, value, v]: without its key it is an insert with a constant one
      auto input = pop();
      auto member = pop();
      auto key = pop();
      push(std::move(member));
      push(std::move(input));
      return insert(key);
    }
    case Op::concatenate: return concatenate(at.c);
    case Op::format: return format(static_cast<Format>(at.c));
    case Op::negate: return negate();
    case Op::to_boolean: replace(Value::boolean(values_[top_ - 1].value.truth())); return Flow::go;
    case Op::coalesce: {
      auto value = pop();
      auto other = pop();
      push(value.truth() ? std::move(value) : std::move(other));
      return Flow::go;
    }
    case Op::range: return range();
    case Op::label: label(at); return Flow::go;
    case Op::jump_out: return jump_out(at);
    case Op::mark:
      local(0, at.c) = Value::number(static_cast<double>(forks_.size()));
      return Flow::go;
    case Op::cut: cut(at); return Flow::go;
    case Op::take_path: return take_path(at);
    case Op::put_path: return put_path(at);
    case Op::note_path: local(0, at.c).push(budget_, local(0, at.b)); return Flow::go;
    case Op::delete_paths: {
      auto document = pop();
      bool done = delete_paths(*this, &document, local(0, at.c));
      push(std::move(document));
      return done ? Flow::go : Flow::back;
    }
    default: AIOS_ASSERT(false); return Flow::back;
  }
}

void Machine::follow(const Value& key, const Value& value) {
  if (tracking()) {
    path_.push(budget_, key);
    path_value_ = value;
  }
}

Machine::Flow Machine::index(const Value& key) {
  auto from = pop();
  if (!path_intact(from)) {
    raise(fmt::format("Invalid path expression near attempt to access element {} of {}",
                      short_text(budget_, key), short_text(budget_, from)));
    return Flow::back;
  }
  Value found;
  if (!get_index(*this, from, key, &found)) {
    return Flow::back;
  }
  follow(key, found);
  push(std::move(found));
  return Flow::go;
}

Machine::Flow Machine::slice() {
  auto from = pop();
  auto last = pop();
  auto first = pop();
  auto key = slice_key(*this, first, last);
  push(std::move(from));
  return index(key);
}

Machine::Flow Machine::each() {
  const auto& from = values_[top_ - 1].value;
  if (!path_intact(from)) {
    raise(fmt::format("Invalid path expression near attempt to iterate through {}",
                      short_text(budget_, from)));
    return Flow::back;
  }
  if (!from.is_array() && !from.is_object()) {
    raise(fmt::format("Cannot iterate over {}", described(budget_, from)));
    return Flow::back;
  }
  push(Value::number(0));
  return each_next() ? Flow::go : Flow::back;
}

/// [container, position] -> [element], and a fork for the next one.
bool Machine::each_next() {
  auto at = static_cast<std::size_t>(pop().as_number());
  auto from = pop();
  if (at >= from.size()) {
    return false;
  }
  if (at + 1 < from.size()) {
    auto below = top_;
    push(from);
    push(Value::number(static_cast<double>(at + 1)));
    fork();
    top_ = below;
  }
  bool object = from.is_object();
  auto element = object ? from.member_at(at) : from.at(at);
  if (tracking()) {
    follow(object ? text(std::string(from.key_at(at))) : Value::number(static_cast<double>(at)),
           element);
  }
  push(std::move(element));
  return true;
}

Machine::Flow Machine::range() {
  auto input = pop();
  for (std::uint32_t i = 0, at = top_; i < 3; ++i) {
    if (!values_[at - 1].value.is_number()) {
      raise("Range bounds must be numeric");
      return Flow::back;
    }
    at = values_[at - 1].below;
  }
  return range_next() ? Flow::go : Flow::back;
}

/// [at, to, by] -> [at], and a fork for the next one.
bool Machine::range_next() {
  auto by = pop().as_number();
  auto to = pop().as_number();
  auto at = pop().as_number();
  if (!((by > 0 && at < to) || (by < 0 && at > to))) {
    return false;
  }
  auto below = top_;
  push(Value::number(at + by));
  push(Value::number(to));
  push(Value::number(by));
  fork();
  top_ = below;
  push(Value::number(at));
  return true;
}

}  // namespace aios::expr::detail
