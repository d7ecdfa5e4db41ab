// SPDX-License-Identifier: Apache-2.0
// "=", "|=" and their kin.
#include "expr/detail/jq_compiler.h"

#include <algorithm>

namespace aios::expr::detail {

Compiler::Done Compiler::update(const Node& node) {
  auto symbol = std::string_view(node.text).substr(0, node.text.size() - 1);
  if (symbol.empty()) {  // "=": the library's, because the right side may have several outputs
    Node assignment = node;
    assignment.syntax = Syntax::call;
    assignment.text = "_assign";
    return call(assignment);
  }
  if (symbol == "|") {
    return modify(node.kids[0], [this, &node] { return expression(node.kids[1]); });
  }
  auto other = slot();
  auto done = sub(node.kids[1]);
  if (!done.ok()) {
    return done;
  }
  emit(Op::store_under, other);
  constexpr std::string_view symbols[] = {"+", "-", "*", "/", "%"};
  auto known = std::find(std::begin(symbols), std::end(symbols), symbol) - std::begin(symbols);
  return modify(node.kids[0], [this, other, symbol, known]() -> Done {
    emit(Op::push_variable, other);
    if (symbol == "//") {
      emit(Op::coalesce);
    } else {
      emit(Op::binary, 0, 0, static_cast<std::uint8_t>(known));
    }
    return {};
  });
}

/// For each path: take the value out, change it, put the first output back; without output the
/// path is deleted.
Compiler::Done Compiler::modify(NodeId paths, const std::function<Done()>& change) {
  auto document = slot();
  auto gone = slot();
  auto path = slot();
  auto forks = slot();
  emit(Op::duplicate);
  emit(Op::store, document);
  emit(Op::set_empty_array, gone);
  auto end = fork_with_input();
  emit(Op::path_begin);
  auto done = expression(paths);
  if (!done.ok()) {
    return done;
  }
  emit(Op::path_end);
  emit(Op::store, path);
  emit(Op::mark, forks);
  emit(Op::push_null);
  auto nothing = emit(Op::fork);
  emit(Op::take_path, document, static_cast<std::uint16_t>(path));
  emit(Op::quiet_begin);
  done = change();
  emit(Op::quiet_end);
  emit(Op::put_path, document, static_cast<std::uint16_t>(path));
  emit(Op::cut, forks);
  emit(Op::backtrack);
  land(nothing);
  emit(Op::note_path, gone, static_cast<std::uint16_t>(path));
  emit(Op::backtrack);
  land(end);
  emit(Op::take, document);
  emit(Op::delete_paths, gone);
  return done;
}

}  // namespace aios::expr::detail
