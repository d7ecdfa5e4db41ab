// SPDX-License-Identifier: Apache-2.0
// Instructions that build values, track paths, and leave labels.
#include "expr/detail/jq_machine.h"
#include "expr/detail/jq_natives.h"
#include "expr/detail/jq_paths.h"
#include "expr/detail/jq_print.h"

#include <fmt/format.h>

namespace aios::expr::detail {

Machine::Flow Machine::get_path() {
  auto from = pop();
  auto path = pop();
  if (!path_intact(from)) {
    raise(fmt::format("Invalid path expression with result {}", short_text(budget_, from)));
    return Flow::back;
  }
  Value found;
  if (!check_path(*this, path) || !detail::get_path(*this, std::move(from), path, &found)) {
    return Flow::back;
  }
  if (tracking()) {
    for (std::size_t i = 0; i < path.size(); ++i) {
      path_.push(budget_, path.at(i));
    }
    path_value_ = found;
  }
  push(std::move(found));
  return Flow::go;
}

void Machine::path_begin() {
  auto input = pop();
  push(path_);
  push(path_value_);
  push(Value::number(quiet_));
  path_ = Value::array(budget_);
  path_value_ = input;
  quiet_ = 0;
  push(std::move(input));
}

Machine::Flow Machine::path_end() {
  auto value = pop();
  if (!path_intact(value)) {
    raise(fmt::format("Invalid path expression with result {}", short_text(budget_, value)));
    return Flow::back;
  }
  auto found = std::move(path_);
  quiet_ = static_cast<std::int32_t>(pop().as_number());
  path_value_ = pop();
  path_ = pop();
  push(std::move(found));
  return Flow::go;
}

/// [object, value, v] -> [object, v]
Machine::Flow Machine::insert(const Value& key) {
  auto input = pop();
  auto member = pop();
  auto object = pop();
  if (!key.is_string()) {
    raise(fmt::format("Cannot use {} as object key", described(budget_, key)));
    return Flow::back;
  }
  object.set_member(budget_, key, std::move(member));
  push(std::move(object));
  push(std::move(input));
  return Flow::go;
}

Machine::Flow Machine::concatenate(std::uint32_t count) {
  pop();
  std::string joined;
  for (std::uint32_t i = 0; i < count; ++i) {
    auto part = pop();
    if (!budget_.fits(joined.size() + part.text().size())) {
      return Flow::back;
    }
    joined.append(part.text());
  }
  budget_.spend(joined.size() / 64);
  push(text(std::move(joined)));
  return Flow::go;
}

Machine::Flow Machine::format(Format format) {
  auto value = pop();
  bool done = format_value(*this, format, &value);
  push(std::move(value));
  return done ? Flow::go : Flow::back;
}

Machine::Flow Machine::binary(Arithmetic operation) {
  auto left = pop();
  auto right = pop();
  Value result;
  if (!arithmetic(*this, operation, std::move(left), std::move(right), &result)) {
    return Flow::back;
  }
  push(std::move(result));
  return Flow::go;
}

Machine::Flow Machine::negate() {
  auto value = pop();
  if (!value.is_number()) {
    raise(fmt::format("{} cannot be negated", described(budget_, value)));
    return Flow::back;
  }
  const auto* big = value.big_integer();
  if (big != nullptr && big->is_int64() && big->get_int64() != INT64_MIN) {
    push(adopt(Json(-big->get_int64()), sizeof(Json)));
  } else {
    push(Value::number(-value.as_number()));
  }
  return Flow::go;
}

Machine::Flow Machine::native(const Instruction& at) {
  auto input = pop();
  arguments_.clear();
  for (std::uint32_t i = 0; i < at.a; ++i) {
    arguments_.push_back(pop());
  }
  bool done = native_at(at.c).run(*this, &input, arguments_.data());
  if (!done) {
    return Flow::back;
  }
  push(std::move(input));
  return Flow::go;
}

void Machine::label(const Instruction& at) {
  ++labels_;
  local(0, at.c) = Value::number(static_cast<double>(labels_));
  fork(labels_);
}

Machine::Flow Machine::jump_out(const Instruction& at) {
  jump_label_ = static_cast<std::uint64_t>(local(at.b, at.c).as_number());
  raise_ = Raise::jump;
  return Flow::back;
}

void Machine::cut(const Instruction& at) {
  auto keep = static_cast<std::size_t>(local(0, at.c).as_number());
  if (keep < forks_.size()) {
    forks_.erase(forks_.begin() + static_cast<std::ptrdiff_t>(keep), forks_.end());
    compact();
  }
}

Machine::Flow Machine::take_path(const Instruction& at) {
  pop();
  Value found;
  auto path = local(0, at.b);
  if (!check_path(*this, path) || !detail::take_path(*this, &local(0, at.c), path, 0, &found)) {
    return Flow::back;
  }
  push(std::move(found));
  return Flow::go;
}

Machine::Flow Machine::put_path(const Instruction& at) {
  auto value = pop();
  auto path = local(0, at.b);
  return set_path(*this, &local(0, at.c), path, 0, std::move(value)) ? Flow::go : Flow::back;
}

}  // namespace aios::expr::detail
