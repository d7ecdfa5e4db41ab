// SPDX-License-Identifier: Apache-2.0
#pragma once
// expr/detail/jq_machine: runs a compiled program. Three stacks (values, frames, forks) stand in
// vectors; backtracking cuts them back to what they were. A value or frame below the youngest fork
// is frozen: popping it copies.

#include "expr/detail/jq_program.h"
#include "expr/detail/jq_value.h"
#include "expr/jq.h"

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

namespace aios::expr::detail {

class RegexCache;

class Machine {
 public:
  Machine(const CompiledProgram& program, const EvalOptions& options);
  ~Machine();
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  void start(const Json& input, const std::vector<const Json*>& variables);
  /// The next output; false at the end, after an error and at a limit.
  bool next(Value* output);
  /// Whether it ended with an error nobody caught; then error_value() is it.
  bool failed() const { return raise_ != Raise::none; }
  const Value& error_value() const { return error_; }
  bool failed_by_break() const { return raise_ == Raise::jump; }

  // For natives.
  Budget& budget() { return budget_; }
  const EvalOptions& options() const { return options_; }
  RegexCache& regexes();
  /// Raises; always false, so that natives can return it.
  bool raise(std::string message);
  bool raise_value(Value error);
  Value text(std::string text) { return Value::string(budget_, std::move(text)); }
  /// Keeps a Json alive to the end of the evaluation, so that values can borrow it.
  Value adopt(Json json, std::size_t bytes);

 private:
  enum class Flow : std::uint8_t { go, back, output };
  enum class Raise : std::uint8_t { none, error, jump };
  struct Slot {
    Value value;
    std::uint32_t below = 0;
  };
  struct Closure {
    std::uint32_t function = 0;
    std::uint32_t frame = 0;
  };
  struct Frame {
    std::uint32_t function = 0;
    std::uint32_t back_to = 0;  // code
    std::uint32_t caller = 0;
    std::uint32_t outer = 0;  // where the function was defined
    std::uint32_t locals = 0;
    std::uint32_t closures = 0;
    std::uint32_t depth = 0;
  };
  struct Fork {
    std::uint32_t code = 0;
    std::uint32_t top = 0;
    std::uint32_t values = 0;
    std::uint32_t frame = 0;
    std::uint32_t frames = 0;
    std::uint32_t locals = 0;
    std::uint32_t closures = 0;
    std::int32_t quiet = 0;
    std::uint64_t label = 0;
    Value path;
    Value path_value;
  };

  // dispatch, from frequent to rare
  Flow step(const Instruction& at);
  Flow step_variables(const Instruction& at);
  Flow step_control(const Instruction& at);
  Flow step_rare(const Instruction& at);
  bool back();
  bool resume(const Fork& fork);

  // the stack of values
  void push(Value value);
  Value pop();
  void replace(Value value);
  // frames
  Frame& frame() { return frames_[frame_]; }
  std::uint32_t frame_out(std::uint16_t level) const;
  Value& local(std::uint16_t level, std::uint32_t slot) {
    return locals_[frames_[frame_out(level)].locals + slot];
  }
  void push_frame(const Closure& closure, std::uint32_t back_to, bool tail);
  void pop_frame();
  Flow call(const Instruction& at);
  Flow call_parameter(const Instruction& at);
  Flow ret();
  void fork(std::uint64_t label = 0);
  void compact();

  // instructions
  Flow index(const Value& key);
  Flow slice();
  Flow each();
  bool each_next();
  Flow range();
  bool range_next();
  Flow get_path();
  void path_begin();
  Flow path_end();
  Flow insert(const Value& key);
  Flow concatenate(std::uint32_t count);
  Flow format(Format format);
  Flow binary(Arithmetic operation);
  Flow negate();
  Flow native(const Instruction& at);
  void label(const Instruction& at);
  Flow jump_out(const Instruction& at);
  void cut(const Instruction& at);
  Flow take_path(const Instruction& at);
  Flow put_path(const Instruction& at);

  bool tracking() const { return !path_.is_null() && quiet_ == 0; }
  bool path_intact(const Value& value) const { return !tracking() || path_value_.identical(value); }
  void follow(const Value& key, const Value& value);
  const Json& constant(std::uint32_t index) const { return program_.constants[index]; }

  const CompiledProgram& program_;
  const EvalOptions& options_;
  Budget budget_;
  std::deque<Json> adopted_;
  std::unique_ptr<RegexCache> regexes_;
  std::vector<Slot> values_;
  std::vector<Frame> frames_;
  std::vector<Value> locals_;
  std::vector<Closure> closures_;
  std::vector<Fork> forks_;
  std::vector<Closure> operands_;
  std::vector<Value> arguments_;
  std::uint32_t code_ = 0;
  std::uint32_t top_ = 0;     // index + 1; 0: empty
  std::uint32_t frozen_ = 0;  // values below are held by a fork
  std::uint32_t frame_ = 0;
  std::int32_t quiet_ = 0;
  std::uint64_t labels_ = 0;
  Value path_;        // an array while a path is being tracked
  Value path_value_;  // what stands at the path
  Value error_;
  Value output_;
  Raise raise_ = Raise::none;
  std::uint64_t jump_label_ = 0;
  std::uint32_t wraps_ = 0;  // how many try blocks the error has already left behind
  bool started_ = false;
};

}  // namespace aios::expr::detail
