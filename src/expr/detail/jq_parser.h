// SPDX-License-Identifier: Apache-2.0
#pragma once
// expr/detail/jq_parser: recursive descent with a bound on its depth.

#include "expr/detail/jq_ast.h"
#include "expr/detail/jq_lexer.h"

#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

namespace aios::expr::detail {

class Parser {
 public:
  explicit Parser(std::string_view text) : lexer_(text) { tree_.nodes.emplace_back(); }
  Result<Tree> query_text();
  Result<Tree> definition_text();

 private:
  using Parsed = Result<NodeId>;
  /// Of the descent, and of the tree; both are walked on the C stack.
  static constexpr std::uint32_t depth_max = 1'000;
  Error too_deep() const;
  /// Counts one level of the descent while it lives.
  class Deeper {
   public:
    explicit Deeper(Parser& parser) : parser_(parser) { ++parser_.open_; }
    ~Deeper() { --parser_.open_; }
    Deeper(const Deeper&) = delete;
    Deeper& operator=(const Deeper&) = delete;
    bool too_deep() const { return parser_.open_ > depth_max; }

   private:
    Parser& parser_;
  };

  /// One part or several with the separator between them, as a node of this syntax; one alone is
  /// itself, but patterns are always a node.
  Parsed separated(Syntax syntax, std::string_view separator, Parsed (Parser::*part)());
  // queries, from loosest to tightest
  Parsed query();
  Parsed commas();
  Parsed item();
  Parsed bind_or(NodeId source);
  Parsed binary(int tightness_min);
  Parsed unary();
  Parsed postfix();
  Parsed suffix(NodeId term, bool* more);
  Parsed bracket_suffix(NodeId term);
  Parsed term();
  Parsed keyword_term();
  Parsed symbol_term();
  Parsed name_term();
  // parts
  Parsed definition();
  Parsed definition_head(Node* node);
  Parsed label();
  Parsed condition();
  Parsed fold(Syntax syntax);
  Parsed attempt();
  Parsed string(std::string format);
  Parsed object();
  Parsed object_member(std::vector<NodeId>* kids);
  Parsed object_key(bool* needs_value);
  Parsed object_value();
  Parsed object_value_part();
  Parsed patterns();
  Parsed pattern();
  Parsed array_pattern();
  Parsed object_pattern();
  Parsed pattern_member(std::vector<NodeId>* kids);

  Result<void> advance();
  Result<void> expect_symbol(std::string_view symbol);
  Result<void> expect_keyword(std::string_view keyword);
  bool is_symbol(std::string_view symbol) const {
    return token_.word == Word::symbol && token_.text == symbol;
  }
  bool is_keyword(std::string_view keyword) const {
    return token_.word == Word::keyword && token_.text == keyword;
  }
  Error unexpected(std::string_view wanted) const;
  /// Makes a node; refuses a tree that is too deep.
  Parsed make(Syntax syntax, std::size_t at, std::string text, std::vector<NodeId> kids);

  Lexer lexer_;
  Token token_;
  Tree tree_;
  std::uint32_t open_ = 0;  // how deep the descent is
};

}  // namespace aios::expr::detail
