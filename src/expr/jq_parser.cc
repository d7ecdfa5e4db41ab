// SPDX-License-Identifier: Apache-2.0
// The loose half of the grammar: queries, operators, suffixes.
#include "expr/detail/jq_parser.h"

#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace aios::expr::detail {
namespace {

// Compiling costs the square of the length: 64 KiB of pipes take about half a second.
constexpr std::size_t text_bytes_max = std::size_t{64} << 10;

struct Operator {
  std::string_view symbol;
  int tightness;
};
constexpr int update_tightness = 2;
constexpr int compare_tightness = 5;
constexpr std::array<Operator, 22> operators = {{
    {"//", 1},  {"=", 2},  {"|=", 2},  {"+=", 2}, {"-=", 2}, {"*=", 2}, {"/=", 2}, {"%=", 2},
    {"//=", 2}, {"or", 3}, {"and", 4}, {"==", 5}, {"!=", 5}, {"<", 5},  {"<=", 5}, {">", 5},
    {">=", 5},  {"+", 6},  {"-", 6},   {"*", 7},  {"/", 7},  {"%", 7},
}};

const Operator* operator_of(const Token& token) {
  if (token.word != Word::symbol && token.word != Word::keyword) {
    return nullptr;
  }
  auto found = std::find_if(operators.begin(), operators.end(),
                            [&token](const Operator& known) { return known.symbol == token.text; });
  return found == operators.end() ? nullptr : &*found;
}

Syntax syntax_of(const Operator& known) {
  if (known.symbol == "//") {
    return Syntax::alternative;
  }
  if (known.symbol == "and") {
    return Syntax::both;
  }
  if (known.symbol == "or") {
    return Syntax::either;
  }
  return known.tightness == update_tightness ? Syntax::update : Syntax::binary;
}

}  // namespace

Error Parser::too_deep() const {
  return lexer_.wrong(fmt::format("the expression is nested more than {} levels", depth_max),
                      token_.at);
}

Result<void> Parser::advance() {
  auto token = lexer_.next();
  if (!token.ok()) {
    return std::move(token).error();
  }
  token_ = *token;
  return {};
}

Error Parser::unexpected(std::string_view wanted) const {
  auto found = token_.word == Word::end ? std::string("the end")
                                        : fmt::format("'{}'", excerpt(token_.text, 30));
  return lexer_.wrong(fmt::format("found {}, wanted {}", found, wanted), token_.at);
}

Result<void> Parser::expect_symbol(std::string_view symbol) {
  if (!is_symbol(symbol)) {
    return unexpected(fmt::format("'{}'", symbol));
  }
  return advance();
}

Result<void> Parser::expect_keyword(std::string_view keyword) {
  if (!is_keyword(keyword)) {
    return unexpected(fmt::format("'{}'", keyword));
  }
  return advance();
}

Parser::Parsed Parser::make(Syntax syntax, std::size_t at, std::string text,
                            std::vector<NodeId> kids) {
  Node node;
  node.syntax = syntax;
  node.at = at;
  node.line = lexer_.line_of(at);
  node.text = std::move(text);
  for (auto kid : kids) {
    node.depth = std::max(node.depth, tree_[kid].depth + 1);
  }
  node.kids = std::move(kids);
  if (node.depth > depth_max) {
    return too_deep();
  }
  tree_.nodes.push_back(std::move(node));
  return static_cast<NodeId>(tree_.nodes.size() - 1);
}

Result<Tree> Parser::query_text() {
  auto started = advance();
  if (!started.ok()) {
    return std::move(started).error();
  }
  auto root = token_.word == Word::end ? make(Syntax::identity, 0, "", {}) : query();
  if (!root.ok()) {
    return std::move(root).error();
  }
  if (token_.word != Word::end) {
    return unexpected("an operator or the end");
  }
  tree_.root = *root;
  return std::move(tree_);
}

/// commas { "|" commas }
Parser::Parsed Parser::query() {
  Deeper deeper(*this);
  if (deeper.too_deep()) {
    return too_deep();
  }
  return separated(Syntax::pipe, "|", &Parser::commas);
}

Parser::Parsed Parser::commas() { return separated(Syntax::comma, ",", &Parser::item); }

Parser::Parsed Parser::separated(Syntax syntax, std::string_view separator,
                                 Parsed (Parser::*part)()) {
  const auto at = token_.at;
  std::vector<NodeId> kids;
  for (;;) {
    auto kid = (this->*part)();
    if (!kid.ok()) {
      return kid;
    }
    kids.push_back(*kid);
    if (!is_symbol(separator)) {
      break;
    }
    auto moved = advance();
    if (!moved.ok()) {
      return std::move(moved).error();
    }
  }
  const bool itself = kids.size() == 1 && syntax != Syntax::patterns;
  return itself ? Parsed(kids[0]) : make(syntax, at, "", std::move(kids));
}

/// What may swallow the rest of the query: a definition, a label, a binding; else an expression.
Parser::Parsed Parser::item() {
  if (is_keyword("def")) {
    return definition();
  }
  if (is_keyword("label")) {
    return label();
  }
  auto source = binary(0);
  if (!source.ok() || !is_keyword("as")) {
    return source;
  }
  return bind_or(*source);
}

Parser::Parsed Parser::bind_or(NodeId source) {
  auto at = token_.at;
  auto moved = advance();
  if (!moved.ok()) {
    return std::move(moved).error();
  }
  auto names = patterns();
  if (!names.ok()) {
    return names;
  }
  auto bar = expect_symbol("|");
  if (!bar.ok()) {
    return std::move(bar).error();
  }
  auto body = query();
  if (!body.ok()) {
    return body;
  }
  return make(Syntax::bind, at, "", {source, *names, *body});
}

Parser::Parsed Parser::binary(int tightness_min) {
  auto left = unary();
  while (left.ok()) {
    const auto* known = operator_of(token_);
    if (known == nullptr || known->tightness < tightness_min) {
      break;
    }
    auto at = token_.at;
    auto moved = advance();
    if (!moved.ok()) {
      return std::move(moved).error();
    }
    bool to_the_right = known->tightness == 1;
    Deeper deeper(*this);
    if (deeper.too_deep()) {
      return too_deep();
    }
    auto right = binary(to_the_right ? known->tightness : known->tightness + 1);
    if (!right.ok()) {
      return right;
    }
    left = make(syntax_of(*known), at, std::string(known->symbol), {*left, *right});
    const auto* again = operator_of(token_);
    bool single = known->tightness == update_tightness || known->tightness == compare_tightness;
    if (left.ok() && single && again != nullptr && again->tightness == known->tightness) {
      return unexpected("parentheses, because this operator cannot follow its like");
    }
  }
  return left;
}

Parser::Parsed Parser::unary() {
  if (!is_symbol("-")) {
    return postfix();
  }
  Deeper deeper(*this);
  if (deeper.too_deep()) {
    return too_deep();
  }
  auto at = token_.at;
  auto moved = advance();
  if (!moved.ok()) {
    return std::move(moved).error();
  }
  auto operand = unary();
  return operand.ok() ? make(Syntax::negate, at, "", {*operand}) : operand;
}

Parser::Parsed Parser::postfix() {
  auto result = term();
  bool more = true;
  while (result.ok() && more) {
    result = suffix(*result, &more);
  }
  return result;
}

/// One of: .name ."text" .[...] [...] ? ; *more says whether there was one.
Parser::Parsed Parser::suffix(NodeId of, bool* more) {
  auto at = token_.at;
  if (token_.word == Word::field) {
    auto key = make(Syntax::piece, at, std::string(token_.text), {});
    auto moved = advance();
    if (!key.ok() || !moved.ok()) {
      return key.ok() ? std::move(moved).error() : std::move(key).error();
    }
    return make(Syntax::index, at, "", {of, *key});
  }
  if (is_symbol("?//")) {  // "?" and then "//": an alternative, not a pattern
    token_.text = token_.text.substr(1);
    return make(Syntax::attempt, at, "", {of, no_node});
  }
  if (is_symbol("?")) {
    auto moved = advance();
    return moved.ok() ? make(Syntax::attempt, at, "", {of, no_node})
                      : Parsed(std::move(moved).error());
  }
  if (is_symbol(".")) {
    auto moved = advance();
    if (!moved.ok()) {
      return std::move(moved).error();
    }
    if (token_.word == Word::quote) {
      auto key = string("");
      return key.ok() ? make(Syntax::index, at, "", {of, *key}) : key;
    }
    if (!is_symbol("[")) {
      return unexpected("a name, a string or '['");
    }
  }
  if (is_symbol("[")) {
    return bracket_suffix(of);
  }
  *more = false;
  return of;
}

Parser::Parsed Parser::bracket_suffix(NodeId of) {
  auto at = token_.at;
  auto moved = advance();
  if (!moved.ok()) {
    return std::move(moved).error();
  }
  Syntax syntax = Syntax::each;
  std::vector<NodeId> kids = {of};
  if (!is_symbol("]")) {
    auto from = is_symbol(":") ? Parsed(no_node) : query();
    if (!from.ok()) {
      return from;
    }
    syntax = Syntax::index;
    kids.push_back(*from);
    if (is_symbol(":")) {
      moved = advance();
      if (!moved.ok()) {
        return std::move(moved).error();
      }
      auto to = is_symbol("]") && *from != no_node ? Parsed(no_node) : query();
      if (!to.ok()) {
        return to;
      }
      syntax = Syntax::slice;
      kids.push_back(*to);
    }
  }
  auto closed = expect_symbol("]");
  if (!closed.ok()) {
    return std::move(closed).error();
  }
  return make(syntax, at, "", std::move(kids));
}

Result<Tree> parse_jq(std::string_view text, Library library) {
  if (text.size() > text_bytes_max) {
    return Error(Code::invalid_argument, fmt::format("the expression has {} bytes, at most {} are "
                                                     "taken",
                                                     text.size(), text_bytes_max))
        .page(107)
        .at("", 1, 1);
  }
  Parser parser(text);
  return library == Library::no ? parser.query_text() : parser.definition_text();
}

}  // namespace aios::expr::detail
