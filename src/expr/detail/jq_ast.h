// SPDX-License-Identifier: Apache-2.0
#pragma once
// expr/detail/jq_ast: a jq text as a tree. Nodes stand in one vector and name each other by index,
// so that neither copying nor dropping a tree recurses; depth is bounded by the parser.

#include "core/result.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace aios::expr::detail {

using NodeId = std::uint32_t;
inline constexpr NodeId no_node = 0;

enum class Syntax : std::uint8_t {
  none,
  identity,
  recurse,   // ..
  number,    // text
  string,    // kids: literal pieces and code in turn, starting with a piece; text: "@format" or ""
  piece,     // text: a literal part of a string
  format,    // text: @format alone
  variable,  // text
  location,  // $__loc__; line
  index,     // kids: term, key
  slice,     // kids: term, from or none, to or none
  each,      // kids: term
  attempt,   // kids: body, handler or none
  array,     // kids: query or none
  object,    // kids: key, value or none, key, value or none, ...
  negate,    // kids: term
  pipe,      // kids: two or more
  comma,     // kids: two or more
  binary,    // text: operator; kids: left, right
  both,      // and
  either,    // or
  alternative,     // //
  update,          // text: "=", "|=", "+=", ..., "//="; kids: left, right
  condition,       // kids: condition, then, else or none
  reduce,          // kids: source, patterns, init, update
  foreach,         // kids: source, patterns, init, update, extract or none
  define,          // text: name; names: parameters ("$x" or "f"); kids: body, rest
  call,            // text: name; kids: arguments
  label,           // text: name; kids: body
  jump_out,        // break; text: name
  bind,            // kids: source, patterns, body
  patterns,        // kids: alternatives (?//)
  name_pattern,    // text
  array_pattern,   // kids: patterns
  object_pattern,  // kids: key, pattern or none, ...; a variable as key binds itself too
};

struct Node {
  Syntax syntax = Syntax::none;
  std::uint32_t line = 0;
  std::uint32_t depth = 1;
  std::size_t at = 0;  // offset in the text
  std::string text;
  std::vector<NodeId> kids;
  std::vector<std::string> names;
};

struct Tree {
  std::vector<Node> nodes;
  NodeId root = no_node;
  const Node& operator[](NodeId id) const { return nodes[id]; }
};

enum class Library : std::uint8_t { no, definitions };

/// One query, or for the library one definition ("def f: ...;").
/// @return invalid_argument [AIOS-0107] with line and column, without a file.
Result<Tree> parse_jq(std::string_view text, Library library = Library::no);

}  // namespace aios::expr::detail
