// SPDX-License-Identifier: Apache-2.0
#pragma once
// expr/detail/jq_program: compiled jq: one array of instructions for a machine that backtracks.
//
// Values stand on a stack; an expression takes its input from the top and leaves an output there.
// Whoever has more outputs leaves a fork behind; "backtrack" returns to the youngest one, with
// stack, frames and path as they were. [a, b] below is the top of the stack, b being topmost.

#include "core/json.h"
#include "expr/detail/jq_value.h"

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

namespace aios::expr::detail {

enum class Op : std::uint8_t {
  // constants and the stack; c: constant
  load_constant,  // [v] -> [k]
  push_constant,  // [v] -> [k, v]
  push_null,      // [] -> [null]
  duplicate,      // [v] -> [v, v]
  pop,            // [v] -> []
  swap,           // [a, b] -> [b, a]
  // variables; b: how many frames out, c: slot
  load_variable,  // [v] -> [x]
  push_variable,  // [v] -> [x, v]
  push_plain,     // [] -> [x]
  store,          // [v] -> []
  store_under,    // [x, v] -> [v]
  take,           // [v] -> [x], the variable is null afterwards
  push_take,      // [] -> [x], the variable is null afterwards
  set_null,
  set_false,
  set_true,
  set_empty_array,
  // sub-expressions: their navigation is no part of a path being tracked
  subexpression_begin,  // [v] -> [v, v]
  subexpression_end,    // [v, x] -> [x, v]
  quiet_begin,
  quiet_end,
  // navigation
  index_constant,  // [t] -> [t[k]]; c: constant
  index,           // [k, t] -> [t[k]]
  slice,           // [from, to, t] -> [t[from:to]]
  each,            // [t] -> [t[0]], fork; inside: [t, i]
  get_path,        // [p, v] -> [v at p]
  path_begin,      // [v] -> [tracked, v]
  path_end,        // [tracked, v] -> [path]
  // construction
  insert,           // [object, key, value, v] -> [object, v]
  insert_constant,  // [object, value, v] -> [object, v]; c: constant key
  append,           // [v] -> [], at the end of the array variable c
  concatenate,      // [pn, .., p1, v] -> [text]; c: n
  format,           // [v] -> [text]; c: Format
  // arithmetic; a: Arithmetic
  binary,  // [right, left] -> [result]
  negate,
  to_boolean,
  coalesce,  // [other, v] -> [v, or other when v is null or false]
  range,     // [from, to, by, v] -> [from], fork
  // control; c: target
  fork,
  jump,
  jump_false,  // [condition, v] -> [v]
  jump_true,
  jump_null_false,  // [v] -> [v], to the target when v is null or false
  select,           // [condition, v] -> [v], or back
  backtrack,
  back_if,    // back when variable c is true
  try_begin,  // c: handler, which finds [error]
  try_end,
  label,        // c: slot of the label's number
  jump_out,     // b, c: the label's variable
  alternative,  // c: next pattern, tried when anything up to there or beyond fails
  mark,         // c: slot; remembers how many forks there are
  cut,          // c: slot; forgets the forks since
  // updates: b: slot of the path, c: slot of the document
  take_path,     // [v] -> [what is at the path], null stays there
  put_path,      // [v] -> []
  note_path,     // appends the path b to the array c
  delete_paths,  // [v] -> [v without the paths of the array c]
  // calls; a: number of closures, which follow as operands; kTail
  call,               // b: frames out to where the function is defined, c: function
  call_parameter,     // b: frames out, c: parameter
  closure,            // operand: b: frames out, c: function
  closure_parameter,  // operand: b: frames out, c: parameter
  ret,
  native,  // a: arguments, c: index; [an, .., a1, v] -> [result]
};

enum class Arithmetic : std::uint8_t {
  add,
  subtract,
  multiply,
  divide,
  remainder,
  equal,
  unequal,
  less,
  at_most,
  more,
  at_least,
};

enum class Format : std::uint8_t {
  text,
  json,
  csv,
  tsv,
  html,
  uri,
  uri_decode,
  sh,
  base64,
  base64_decode,
  base32,
  base32_decode,
};

inline constexpr std::uint16_t root_level =
    0xFFFF;                                     // "frames out": the outermost, however deep we are
inline constexpr std::uint8_t tail_bit = 0x80;  // in a of calls: nothing happens after it

struct Instruction {
  Op op = Op::pop;
  std::uint8_t a = 0;
  std::uint16_t b = 0;
  std::uint32_t c = 0;
};

struct Function {
  std::uint32_t entry = 0;
  std::uint32_t locals = 0;
  std::uint32_t parameters = 0;
};

struct CompiledProgram {
  std::string text;
  std::string file;
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  std::vector<std::string> variables;  // slots 0.. of the outermost frame
  std::vector<Instruction> code;
  std::vector<Function> functions;  // 0: the query itself
  std::deque<Json> constants;       // borrowed by values: must not move
};

}  // namespace aios::expr::detail
