// SPDX-License-Identifier: Apache-2.0
// Built-ins that are instructions, because they are frequent or cannot be written in the language.
#include "expr/detail/jq_compiler.h"

#include <fmt/format.h>

namespace aios::expr::detail {

Compiler::Done Compiler::special(const Node& node, bool* known) {
  auto is = [&node](std::string_view name, std::size_t arity) {
    return node.text == name && node.kids.size() == arity;
  };
  *known = true;
  if (is("empty", 0) || is("inputs", 0)) {
    emit(Op::backtrack);
    return {};
  }
  if (is("select", 1)) {
    auto done = sub(node.kids[0]);
    emit(Op::select);
    return done;
  }
  if (is("map", 1)) {
    return array([this, &node] {
      emit(Op::each);
      return expression(node.kids[0]);
    });
  }
  if (is("path", 1)) {
    emit(Op::path_begin);
    auto done = expression(node.kids[0]);
    emit(Op::path_end);
    return done;
  }
  if (is("getpath", 1)) {
    auto done = sub(node.kids[0]);
    emit(Op::get_path);
    return done;
  }
  if (is("first", 1)) {
    auto forks = slot();
    emit(Op::mark, forks);
    auto done = expression(node.kids[0]);
    emit(Op::cut, forks);
    return done;
  }
  return special_more(node, known);
}

Compiler::Done Compiler::special_more(const Node& node, bool* known) {
  auto is = [&node](std::string_view name, std::size_t arity) {
    return node.text == name && node.kids.size() == arity;
  };
  if (is("range", 1) || is("range", 2) || is("range", 3)) {
    return range(node);
  }
  if (is("debug", 0) || is("stderr", 0)) {
    return {};
  }
  if (is("env", 0)) {
    emit(Op::load_constant, keep(JsonObject()));
    return {};
  }
  if (node.text == "halt" || node.text == "halt_error") {
    return wrong(
        node, fmt::format("{} is not available: an expression cannot end the process", node.text));
  }
  *known = false;
  return {};
}

/// The first argument is the outermost loop, as for a definition with $parameters.
Compiler::Done Compiler::range(const Node& node) {
  if (node.kids.size() == 1) {
    emit(Op::push_constant, keep(0));
  }
  for (auto kid : node.kids) {
    auto done = sub(kid);
    if (!done.ok()) {
      return done;
    }
  }
  if (node.kids.size() < 3) {
    emit(Op::push_constant, keep(1));
  }
  emit(Op::range);
  return {};
}

}  // namespace aios::expr::detail
