// SPDX-License-Identifier: Apache-2.0
// The tight half of the grammar: terms, strings, control structures, definitions.
#include "expr/detail/jq_parser.h"

#include <utility>

namespace aios::expr::detail {
namespace {

template <class T>
Error error_of(T&& result) {
  return std::forward<T>(result).error();
}

}  // namespace

Parser::Parsed Parser::term() {
  Deeper deeper(*this);
  if (deeper.too_deep()) {
    return too_deep();
  }
  switch (token_.word) {
    case Word::number: {
      auto node = make(Syntax::number, token_.at, std::string(token_.text), {});
      auto moved = advance();
      return moved.ok() ? node : Parsed(error_of(std::move(moved)));
    }
    case Word::quote: return string("");
    case Word::format: {
      auto at = token_.at;
      std::string name(token_.text);
      auto moved = advance();
      if (!moved.ok()) {
        return error_of(std::move(moved));
      }
      return token_.word == Word::quote ? string(std::move(name))
                                        : make(Syntax::format, at, std::move(name), {});
    }
    case Word::field: {
      auto whole = make(Syntax::identity, token_.at, "", {});
      bool more = true;
      return whole.ok() ? suffix(*whole, &more) : whole;
    }
    case Word::variable: {
      auto node = make(token_.text == "__loc__" ? Syntax::location : Syntax::variable, token_.at,
                       std::string(token_.text), {});
      auto moved = advance();
      return moved.ok() ? node : Parsed(error_of(std::move(moved)));
    }
    case Word::name: return name_term();
    case Word::keyword: return keyword_term();
    case Word::symbol: return symbol_term();
    case Word::end: break;
  }
  return unexpected("an expression");
}

Parser::Parsed Parser::symbol_term() {
  auto at = token_.at;
  if (is_symbol("{")) {
    return object();
  }
  if (is_symbol("..")) {
    auto moved = advance();
    return moved.ok() ? make(Syntax::recurse, at, "", {}) : Parsed(error_of(std::move(moved)));
  }
  if (is_symbol(".")) {
    auto whole = make(Syntax::identity, at, "", {});
    auto moved = advance();
    if (!moved.ok()) {
      return error_of(std::move(moved));
    }
    if (whole.ok() && token_.word == Word::quote) {
      auto key = string("");
      return key.ok() ? make(Syntax::index, at, "", {*whole, *key}) : key;
    }
    return whole;
  }
  bool array = is_symbol("[");
  if (!array && !is_symbol("(")) {
    return unexpected("an expression");
  }
  auto moved = advance();
  if (!moved.ok()) {
    return error_of(std::move(moved));
  }
  auto inside = array && is_symbol("]") ? Parsed(no_node) : query();
  if (!inside.ok()) {
    return inside;
  }
  auto closed = expect_symbol(array ? "]" : ")");
  if (!closed.ok()) {
    return error_of(std::move(closed));
  }
  return array ? make(Syntax::array, at, "", {*inside}) : inside;
}

Parser::Parsed Parser::name_term() {
  auto at = token_.at;
  std::string name(token_.text);
  std::vector<NodeId> arguments;
  auto moved = advance();
  if (!moved.ok()) {
    return error_of(std::move(moved));
  }
  if (is_symbol("(")) {
    do {
      moved = advance();
      if (!moved.ok()) {
        return error_of(std::move(moved));
      }
      auto argument = query();
      if (!argument.ok()) {
        return argument;
      }
      arguments.push_back(*argument);
    } while (is_symbol(";"));
    auto closed = expect_symbol(")");
    if (!closed.ok()) {
      return error_of(std::move(closed));
    }
  }
  return make(Syntax::call, at, std::move(name), std::move(arguments));
}

Parser::Parsed Parser::keyword_term() {
  if (is_keyword("if")) {
    return condition();
  }
  if (is_keyword("try")) {
    return attempt();
  }
  if (is_keyword("reduce")) {
    return fold(Syntax::reduce);
  }
  if (is_keyword("foreach")) {
    return fold(Syntax::foreach);
  }
  if (is_keyword("def")) {
    return definition();
  }
  if (is_keyword("break")) {
    auto at = token_.at;
    auto moved = advance();
    if (!moved.ok() || token_.word != Word::variable) {
      return moved.ok() ? unexpected("a label: break $name") : error_of(std::move(moved));
    }
    std::string name(token_.text);
    moved = advance();
    return moved.ok() ? make(Syntax::jump_out, at, std::move(name), {})
                      : Parsed(error_of(std::move(moved)));
  }
  if (is_keyword("import") || is_keyword("include") || is_keyword("module")) {
    return unexpected("an expression; there are no modules here");
  }
  return unexpected("an expression");
}

Parser::Parsed Parser::attempt() {
  auto at = token_.at;
  auto moved = advance();
  if (!moved.ok()) {
    return error_of(std::move(moved));
  }
  auto body = unary();
  if (!body.ok()) {
    return body;
  }
  if (!is_keyword("catch")) {
    return make(Syntax::attempt, at, "", {*body, no_node});
  }
  moved = advance();
  if (!moved.ok()) {
    return error_of(std::move(moved));
  }
  auto handler = unary();
  return handler.ok() ? make(Syntax::attempt, at, "", {*body, *handler}) : handler;
}

/// After "if" or "elif", up to and with "end".
Parser::Parsed Parser::condition() {
  Deeper deeper(*this);
  if (deeper.too_deep()) {
    return too_deep();
  }
  auto at = token_.at;
  auto moved = advance();
  auto test = moved.ok() ? query() : Parsed(error_of(std::move(moved)));
  if (!test.ok()) {
    return test;
  }
  moved = expect_keyword("then");
  auto yes = moved.ok() ? query() : Parsed(error_of(std::move(moved)));
  if (!yes.ok()) {
    return yes;
  }
  if (is_keyword("elif")) {
    auto no = condition();
    return no.ok() ? make(Syntax::condition, at, "", {*test, *yes, *no}) : no;
  }
  Parsed no = no_node;
  if (is_keyword("else")) {
    moved = advance();
    no = moved.ok() ? query() : Parsed(error_of(std::move(moved)));
    if (!no.ok()) {
      return no;
    }
  }
  moved = expect_keyword("end");
  if (!moved.ok()) {
    return error_of(std::move(moved));
  }
  return make(Syntax::condition, at, "", {*test, *yes, *no});
}

/// reduce and foreach: source "as" patterns "(" query { ";" query } ")"
Parser::Parsed Parser::fold(Syntax syntax) {
  auto at = token_.at;
  auto moved = advance();
  auto source = moved.ok() ? binary(0) : Parsed(error_of(std::move(moved)));
  if (!source.ok()) {
    return source;
  }
  moved = expect_keyword("as");
  auto names = moved.ok() ? patterns() : Parsed(error_of(std::move(moved)));
  if (!names.ok()) {
    return names;
  }
  std::vector<NodeId> kids = {*source, *names};
  if (!is_symbol("(")) {
    return unexpected("'('");
  }
  std::size_t wanted = syntax == Syntax::reduce ? 4 : 5;
  do {
    moved = advance();
    auto part = moved.ok() ? query() : Parsed(error_of(std::move(moved)));
    if (!part.ok()) {
      return part;
    }
    kids.push_back(*part);
  } while (is_symbol(";") && kids.size() < wanted);
  if (kids.size() < 4) {
    return unexpected("';'");
  }
  moved = expect_symbol(")");
  if (!moved.ok()) {
    return error_of(std::move(moved));
  }
  kids.resize(wanted, no_node);
  return make(syntax, at, "", std::move(kids));
}

Parser::Parsed Parser::label() {
  auto at = token_.at;
  auto moved = advance();
  if (!moved.ok() || token_.word != Word::variable) {
    return moved.ok() ? unexpected("a name: label $name") : error_of(std::move(moved));
  }
  std::string name(token_.text);
  moved = advance();
  if (moved.ok()) {
    moved = expect_symbol("|");
  }
  auto body = moved.ok() ? query() : Parsed(error_of(std::move(moved)));
  return body.ok() ? make(Syntax::label, at, std::move(name), {*body}) : body;
}

/// "def" name [ "(" parameters ")" ] ":" body ";"
Parser::Parsed Parser::definition_head(Node* node) {
  auto moved = advance();
  bool named = token_.word == Word::name || token_.word == Word::keyword;
  if (!moved.ok() || !named) {
    return moved.ok() ? unexpected("a name to define") : error_of(std::move(moved));
  }
  node->text = token_.text;
  moved = advance();
  if (moved.ok() && is_symbol("(")) {
    do {
      moved = advance();
      bool value = token_.word == Word::variable;
      bool parameter = value || token_.word == Word::name || token_.word == Word::keyword;
      if (!moved.ok() || !parameter) {
        return moved.ok() ? unexpected("a parameter") : error_of(std::move(moved));
      }
      node->names.push_back((value ? "$" : "") + std::string(token_.text));
      moved = advance();
    } while (moved.ok() && is_symbol(";"));
    if (moved.ok()) {
      moved = expect_symbol(")");
    }
  }
  if (moved.ok()) {
    moved = expect_symbol(":");
  }
  auto body = moved.ok() ? query() : Parsed(error_of(std::move(moved)));
  if (!body.ok()) {
    return body;
  }
  moved = expect_symbol(";");
  return moved.ok() ? body : Parsed(error_of(std::move(moved)));
}

Parser::Parsed Parser::definition() {
  Node node;
  auto at = token_.at;
  auto body = definition_head(&node);
  if (!body.ok()) {
    return body;
  }
  auto rest = query();
  if (!rest.ok()) {
    return rest;
  }
  auto made = make(Syntax::define, at, node.text, {*body, *rest});
  if (made.ok()) {
    tree_.nodes[*made].names = std::move(node.names);
  }
  return made;
}

Result<Tree> Parser::definition_text() {
  auto moved = advance();
  if (!moved.ok()) {
    return error_of(std::move(moved));
  }
  Node node;
  auto body = definition_head(&node);
  if (!body.ok()) {
    return error_of(std::move(body));
  }
  auto made = make(Syntax::define, 0, node.text, {*body, no_node});
  if (!made.ok()) {
    return error_of(std::move(made));
  }
  tree_.nodes[*made].names = std::move(node.names);
  tree_.root = *made;
  return std::move(tree_);
}

}  // namespace aios::expr::detail
