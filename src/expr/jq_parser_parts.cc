// SPDX-License-Identifier: Apache-2.0
// Strings, objects and patterns.
#include "expr/detail/jq_parser.h"

#include <utility>

namespace aios::expr::detail {

/// At the opening quote. The pieces and the code in it take turns; a piece comes first.
Parser::Parsed Parser::string(std::string format) {
  auto at = token_.at;
  std::vector<NodeId> kids;
  for (;;) {
    auto piece = lexer_.string_piece();
    if (!piece.ok()) {
      return std::move(piece).error();
    }
    auto text = make(Syntax::piece, at, std::move(piece->text), {});
    if (!text.ok()) {
      return text;
    }
    kids.push_back(*text);
    auto moved = advance();
    if (!moved.ok()) {
      return std::move(moved).error();
    }
    if (!piece->code_follows) {
      break;
    }
    auto code = query();
    if (!code.ok()) {
      return code;
    }
    kids.push_back(*code);
    if (!is_symbol(")")) {  // not consumed: what follows is text, not words
      return unexpected("')'");
    }
  }
  return make(Syntax::string, at, std::move(format), std::move(kids));
}

Parser::Parsed Parser::object() {
  auto at = token_.at;
  std::vector<NodeId> kids;
  auto moved = advance();
  while (moved.ok() && !is_symbol("}")) {
    auto member = object_member(&kids);
    if (!member.ok()) {
      return member;
    }
    if (!is_symbol(",")) {
      if (!is_symbol("}")) {
        return unexpected("',' or '}'");
      }
      break;
    }
    moved = advance();
    if (moved.ok() && is_symbol("}")) {
      return unexpected("another member");
    }
  }
  if (moved.ok()) {
    moved = expect_symbol("}");
  }
  if (!moved.ok()) {
    return std::move(moved).error();
  }
  return make(Syntax::object, at, "", std::move(kids));
}

Parser::Parsed Parser::object_member(std::vector<NodeId>* kids) {
  bool needs_value = false;
  auto key = object_key(&needs_value);
  if (!key.ok()) {
    return key;
  }
  kids->push_back(*key);
  if (!is_symbol(":")) {
    if (needs_value) {
      return unexpected("':' and a value");
    }
    kids->push_back(no_node);
    return key;
  }
  auto moved = advance();
  auto value = moved.ok() ? object_value() : Parsed(std::move(moved).error());
  if (value.ok()) {
    kids->push_back(*value);
  }
  return value;
}

Parser::Parsed Parser::object_key(bool* needs_value) {
  auto at = token_.at;
  std::string text(token_.text);
  switch (token_.word) {
    case Word::quote: return string("");
    case Word::format: {
      auto moved = advance();
      if (!moved.ok() || token_.word != Word::quote) {
        return moved.ok() ? unexpected("a string after the format") : std::move(moved).error();
      }
      return string(std::move(text));
    }
    case Word::number: return unexpected("a name, a string, '(' or '$' as a key");
    case Word::name:
    case Word::keyword:
    case Word::variable: {
      auto syntax = token_.word != Word::variable ? Syntax::piece
                    : text == "__loc__"           ? Syntax::location
                                                  : Syntax::variable;
      auto moved = advance();
      return moved.ok() ? make(syntax, at, std::move(text), {}) : Parsed(std::move(moved).error());
    }
    default: break;
  }
  if (!is_symbol("(")) {
    return unexpected("a name, a string, '(' or '$' as a key");
  }
  *needs_value = true;
  auto moved = advance();
  auto key = moved.ok() ? query() : Parsed(std::move(moved).error());
  if (!key.ok()) {
    return key;
  }
  moved = expect_symbol(")");
  return moved.ok() ? key : Parsed(std::move(moved).error());
}

/// A value may hold pipes, but no comma: that ends the member.
Parser::Parsed Parser::object_value() {
  return separated(Syntax::pipe, "|", &Parser::object_value_part);
}

Parser::Parsed Parser::object_value_part() { return binary(0); }

Parser::Parsed Parser::patterns() { return separated(Syntax::patterns, "?//", &Parser::pattern); }

Parser::Parsed Parser::pattern() {
  if (++open_ > 200) {
    return lexer_.wrong("the pattern is nested more than 200 levels", token_.at);
  }
  Parsed made = no_node;
  if (token_.word == Word::variable) {
    made = make(Syntax::name_pattern, token_.at, std::string(token_.text), {});
    auto moved = advance();
    if (!moved.ok()) {
      return std::move(moved).error();
    }
  } else if (is_symbol("[")) {
    made = array_pattern();
  } else if (is_symbol("{")) {
    made = object_pattern();
  } else {
    return unexpected("$name, '[' or '{'");
  }
  --open_;
  return made;
}

Parser::Parsed Parser::array_pattern() {
  auto at = token_.at;
  std::vector<NodeId> kids;
  do {
    auto moved = advance();
    auto part = moved.ok() ? pattern() : Parsed(std::move(moved).error());
    if (!part.ok()) {
      return part;
    }
    kids.push_back(*part);
  } while (is_symbol(","));
  auto closed = expect_symbol("]");
  return closed.ok() ? make(Syntax::array_pattern, at, "", std::move(kids))
                     : Parsed(std::move(closed).error());
}

Parser::Parsed Parser::object_pattern() {
  auto at = token_.at;
  std::vector<NodeId> kids;
  do {
    auto moved = advance();
    auto part = moved.ok() ? pattern_member(&kids) : Parsed(std::move(moved).error());
    if (!part.ok()) {
      return part;
    }
  } while (is_symbol(","));
  auto closed = expect_symbol("}");
  return closed.ok() ? make(Syntax::object_pattern, at, "", std::move(kids))
                     : Parsed(std::move(closed).error());
}

Parser::Parsed Parser::pattern_member(std::vector<NodeId>* kids) {
  bool variable = token_.word == Word::variable;
  bool needs_value = false;
  auto key = object_key(&needs_value);
  if (!key.ok()) {
    return key;
  }
  kids->push_back(*key);
  if (variable && !is_symbol(":")) {
    kids->push_back(no_node);
    return key;
  }
  auto colon = expect_symbol(":");
  auto inner = colon.ok() ? pattern() : Parsed(std::move(colon).error());
  if (inner.ok()) {
    kids->push_back(*inner);
  }
  return inner;
}

}  // namespace aios::expr::detail
