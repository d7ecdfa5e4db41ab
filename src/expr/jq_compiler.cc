// SPDX-License-Identifier: Apache-2.0
// Expressions and operators. See jq_compiler_*.cc for binding, updates and calls.
#include "expr/detail/jq_compiler.h"

#include "expr/detail/jq_lexer.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

namespace aios::expr::detail {

std::uint32_t Compiler::emit(Op op, std::uint32_t c, std::uint16_t b, std::uint8_t a) {
  open().code.push_back({op, a, b, c});
  return here() - 1;
}

std::uint32_t Compiler::keep(Json value) {
  program_->constants.push_back(std::move(value));
  return static_cast<std::uint32_t>(program_->constants.size() - 1);
}

Error Compiler::wrong(const Node& node, std::string message) const {
  return Lexer(source_).wrong(std::move(message), node.at);
}

Compiler::Done Compiler::sub(NodeId id) {
  if (auto value = constant(id)) {
    emit(Op::push_constant, keep(std::move(*value)));
    return {};
  }
  const auto& node = at(id);
  if (node.syntax == Syntax::identity) {
    emit(Op::duplicate);
    return {};
  }
  const auto* known =
      node.syntax == Syntax::variable ? find(Binding::Kind::variable, node.text) : nullptr;
  if (known != nullptr) {
    emit(Op::push_variable, known->index, level_of(*known));
    return {};
  }
  emit(Op::subexpression_begin);
  auto done = expression(id);
  emit(Op::subexpression_end);
  return done;
}

Compiler::Done Compiler::quiet(NodeId id) {
  emit(Op::quiet_begin);
  auto done = expression(id);
  emit(Op::quiet_end);
  return done;
}

Compiler::Done Compiler::expression(NodeId id) {
  if (auto value = constant(id)) {
    emit(Op::load_constant, keep(std::move(*value)));
    return {};
  }
  const auto& node = at(id);
  switch (node.syntax) {
    case Syntax::identity: return {};
    case Syntax::variable: return variable(node);
    case Syntax::index: return index(node);
    case Syntax::slice: return slice(node);
    case Syntax::each: {
      auto done = expression(node.kids[0]);
      emit(Op::each);
      return done;
    }
    case Syntax::string: return string(node);
    case Syntax::array: return array([this, &node] { return expression(node.kids[0]); });
    case Syntax::object: return object(node);
    case Syntax::negate: {
      auto done = expression(node.kids[0]);
      emit(Op::negate);
      return done;
    }
    case Syntax::pipe:
      for (auto kid : node.kids) {
        auto done = expression(kid);
        if (!done.ok()) {
          return done;
        }
      }
      return {};
    case Syntax::comma: return comma(node);
    case Syntax::call: return call(node);
    default: return expression_more(node);
  }
}

Compiler::Done Compiler::expression_more(const Node& node) {
  switch (node.syntax) {
    case Syntax::recurse: return call_library("recurse", node);
    case Syntax::binary: return binary(node);
    case Syntax::both:
    case Syntax::either: return logic(node);
    case Syntax::alternative: return alternative(node);
    case Syntax::attempt: return attempt(node);
    case Syntax::condition: return condition(node);
    case Syntax::label: return label(node);
    case Syntax::jump_out: return jump_out(node);
    case Syntax::reduce: return reduce(node);
    case Syntax::foreach: return foreach (node);
    case Syntax::bind: return bind(node);
    case Syntax::update: return update(node);
    case Syntax::define: return define(node);
    case Syntax::format: return string(node);
    default: return wrong(node, "this has no meaning as an expression");
  }
}

Compiler::Done Compiler::variable(const Node& node) {
  const auto* known = find(Binding::Kind::variable, node.text);
  if (known != nullptr) {
    emit(Op::load_variable, known->index, level_of(*known));
    return {};
  }
  if (node.text == "ENV") {
    emit(Op::load_constant, keep(JsonObject()));
    return {};
  }
  return unknown(node);
}

Compiler::Done Compiler::index(const Node& node) {
  if (auto key = constant(node.kids[1])) {
    auto done = expression(node.kids[0]);
    emit(Op::index_constant, keep(std::move(*key)));
    return done;
  }
  auto done = sub(node.kids[1]);
  if (done.ok()) {
    done = expression(node.kids[0]);
  }
  emit(Op::index);
  return done;
}

Compiler::Done Compiler::slice(const Node& node) {
  for (std::size_t i = 1; i <= 2; ++i) {
    if (node.kids[i] == no_node) {
      emit(Op::push_constant, keep(nullptr));
      continue;
    }
    auto done = sub(node.kids[i]);
    if (!done.ok()) {
      return done;
    }
  }
  auto done = expression(node.kids[0]);
  emit(Op::slice);
  return done;
}

/// Collects what the body gives.
Compiler::Done Compiler::array(const std::function<Done()>& body) {
  auto collected = slot();
  emit(Op::set_empty_array, collected);
  auto end = emit(Op::fork);
  emit(Op::quiet_begin);
  auto done = body();
  emit(Op::append, collected);
  emit(Op::backtrack);
  land(end);
  emit(Op::take, collected);
  return done;
}

Compiler::Done Compiler::object(const Node& node) {
  emit(Op::push_constant, keep(JsonObject()));
  for (std::size_t i = 0; i + 1 < node.kids.size(); i += 2) {
    auto done = object_member(node.kids[i], node.kids[i + 1]);
    if (!done.ok()) {
      return done;
    }
  }
  emit(Op::pop);
  return {};
}

Compiler::Done Compiler::object_member(NodeId key, NodeId value) {
  const auto& node = at(key);
  bool short_variable = value == no_node && node.syntax == Syntax::variable;
  bool short_location = value == no_node && node.syntax == Syntax::location;
  auto text =
      short_variable || short_location ? std::optional<Json>(Json(node.text)) : constant(key);
  if (text && !text->is_string()) {
    return wrong(node,
                 fmt::format("found a {} as an object key, wanted text", aios::type_name(*text)));
  }
  if (!text) {
    auto done = sub(key);
    if (!done.ok()) {
      return done;
    }
  }
  Done done;
  if (value != no_node || short_variable || short_location) {
    done = sub(value != no_node ? value : key);
  } else if (text) {  // {name} means {name: .name}
    emit(Op::subexpression_begin);
    emit(Op::index_constant, keep(*text));
    emit(Op::subexpression_end);
  } else {  // {"a\(.b)"}: the key is computed once, stands for itself and names the member
    auto kept = slot();
    emit(Op::store_under, kept);
    emit(Op::push_variable, kept);
    emit(Op::subexpression_begin);
    emit(Op::push_variable, kept);
    emit(Op::index);
    emit(Op::subexpression_end);
  }
  if (text) {
    emit(Op::insert_constant, keep(std::move(*text)));
  } else {
    emit(Op::insert);
  }
  return done;
}

Compiler::Done Compiler::comma(const Node& node) {
  std::vector<std::uint32_t> ends;
  for (std::size_t i = 0; i < node.kids.size(); ++i) {
    bool last = i + 1 == node.kids.size();
    auto next = last ? 0 : emit(Op::fork);
    auto done = expression(node.kids[i]);
    if (!done.ok()) {
      return done;
    }
    if (!last) {
      ends.push_back(emit(Op::jump));
      land(next);
    }
  }
  for (auto end : ends) {
    land(end);
  }
  return {};
}

Compiler::Done Compiler::logic(const Node& node) {
  bool both = node.syntax == Syntax::both;
  auto done = sub(node.kids[0]);
  if (!done.ok()) {
    return done;
  }
  auto decided = emit(both ? Op::jump_false : Op::jump_true);
  done = quiet(node.kids[1]);
  emit(Op::to_boolean);
  auto end = emit(Op::jump);
  land(decided);
  emit(Op::load_constant, keep(!both));
  land(end);
  return done;
}

Compiler::Done Compiler::binary(const Node& node) {
  constexpr std::string_view symbols[] = {
      "+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">="};
  auto known = std::find(std::begin(symbols), std::end(symbols), node.text) - std::begin(symbols);
  auto done = sub(node.kids[1]);
  if (done.ok()) {
    done = quiet(node.kids[0]);
  }
  emit(Op::binary, 0, 0, static_cast<std::uint8_t>(known));
  return done;
}

/// An error of the left side is an error: only null, false and nothing make the right side count.
Compiler::Done Compiler::alternative(const Node& node) {
  auto found = slot();
  emit(Op::set_false, found);
  auto otherwise = emit(Op::fork);
  auto done = expression(node.kids[0]);
  if (!done.ok()) {
    return done;
  }
  auto nothing = emit(Op::jump_null_false);
  emit(Op::set_true, found);
  auto end = emit(Op::jump);
  land(nothing);
  emit(Op::backtrack);
  land(otherwise);
  emit(Op::back_if, found);
  done = expression(node.kids[1]);
  land(end);
  return done;
}

Compiler::Done Compiler::attempt(const Node& node) {
  auto failed = emit(Op::try_begin);
  auto done = expression(node.kids[0]);
  if (!done.ok()) {
    return done;
  }
  emit(Op::try_end);
  auto end = emit(Op::jump);
  land(failed);
  if (node.kids[1] == no_node) {
    emit(Op::backtrack);
  } else {
    done = expression(node.kids[1]);
  }
  land(end);
  return done;
}

Compiler::Done Compiler::condition(const Node& node) {
  auto done = sub(node.kids[0]);
  if (!done.ok()) {
    return done;
  }
  auto no = emit(Op::jump_false);
  done = expression(node.kids[1]);
  if (!done.ok()) {
    return done;
  }
  auto end = emit(Op::jump);
  land(no);
  if (node.kids[2] != no_node) {
    done = expression(node.kids[2]);
  }
  land(end);
  return done;
}

Compiler::Done Compiler::label(const Node& node) {
  auto number = slot();
  emit(Op::label, number);
  bindings_.push_back({Binding::Kind::label, node.text, 0, open().depth, number});
  auto done = expression(node.kids[0]);
  bindings_.pop_back();
  return done;
}

Compiler::Done Compiler::jump_out(const Node& node) {
  const auto* known = find(Binding::Kind::label, node.text);
  if (known == nullptr) {
    return wrong(node, fmt::format("break to label ${}, which is not defined here", node.text));
  }
  emit(Op::jump_out, known->index, level_of(*known));
  return {};
}

}  // namespace aios::expr::detail
