// SPDX-License-Identifier: Apache-2.0
// Stacks, frames, forks: what the instructions in jq_machine_ops.cc stand on.
#include "expr/detail/jq_machine.h"

#include "expr/detail/jq_regex.h"

#include <algorithm>

namespace aios::expr::detail {
namespace {

constexpr std::size_t forks_per_depth = 4;
constexpr std::size_t frames_per_depth = 16;
constexpr std::size_t values_per_depth = 64;

}  // namespace

Machine::Machine(const CompiledProgram& program, const EvalOptions& options)
    : program_(program),
      options_(options) {
  budget_.steps_max = options.limits.steps_max;
  budget_.bytes_max = options.limits.memory_bytes_max;
  budget_.depth_max = options.limits.depth_max;
  values_.reserve(16);
  frames_.reserve(8);
}

Machine::~Machine() = default;

RegexCache& Machine::regexes() {
  if (!regexes_) {
    regexes_ = std::make_unique<RegexCache>();
  }
  return *regexes_;
}

bool Machine::raise(std::string message) { return raise_value(text(std::move(message))); }

bool Machine::raise_value(Value error) {
  error_ = std::move(error);
  raise_ = Raise::error;
  wraps_ = 0;
  return false;
}

Value Machine::adopt(Json json, std::size_t bytes) {
  if (!budget_.fits(bytes)) {
    return {};
  }
  budget_.bytes += bytes;
  adopted_.push_back(std::move(json));
  return Value::borrow(adopted_.back());
}

void Machine::start(const Json& input, const std::vector<const Json*>& variables) {
  Frame outermost;
  frames_.push_back(outermost);
  locals_.resize(program_.functions[0].locals);
  for (std::size_t i = 0; i < variables.size(); ++i) {
    locals_[i] = Value::borrow(*variables[i]);
  }
  code_ = program_.functions[0].entry;
  push(Value::borrow(input));
}

bool Machine::next(Value* output) {
  bool going = !started_ || back();
  started_ = true;
  while (going && budget_.spend(1)) {
    switch (step(program_.code[code_++])) {
      case Flow::go: break;
      case Flow::back: going = back(); break;
      case Flow::output:
        *output = std::move(output_);
        return budget_.exceeded == Budget::Limit::none;
    }
  }
  return false;
}

void Machine::push(Value value) {
  if (values_.size() > std::size_t{budget_.depth_max} * values_per_depth) {
    budget_.fail(Budget::Limit::depth);
    return;
  }
  values_.push_back({std::move(value), top_});
  top_ = static_cast<std::uint32_t>(values_.size());
}

Value Machine::pop() {
  auto at = top_ - 1;
  auto& slot = values_[at];
  top_ = slot.below;
  if (at < frozen_) {
    return slot.value;
  }
  auto value = std::move(slot.value);
  if (at + 1 == values_.size()) {
    values_.pop_back();
  }
  return value;
}

void Machine::replace(Value value) {
  auto at = top_ - 1;
  if (at >= frozen_) {
    values_[at].value = std::move(value);
    return;
  }
  top_ = values_[at].below;
  push(std::move(value));
}

std::uint32_t Machine::frame_out(std::uint16_t level) const {
  if (level == root_level) {
    return 0;
  }
  auto at = frame_;
  for (; level > 0; --level) {
    at = frames_[at].outer;
  }
  return at;
}

void Machine::push_frame(const Closure& closure, std::uint32_t back_to, bool tail) {
  Frame fresh;
  fresh.function = closure.function;
  fresh.outer = closure.frame;
  fresh.back_to = tail ? frame().back_to : back_to;
  fresh.caller = tail ? frame().caller : frame_;
  fresh.depth = tail ? frame().depth : frame().depth + 1;
  if (tail) {
    pop_frame();
  }
  const auto& function = program_.functions[closure.function];
  fresh.locals = static_cast<std::uint32_t>(locals_.size());
  fresh.closures = static_cast<std::uint32_t>(closures_.size());
  if (fresh.depth > budget_.depth_max ||
      frames_.size() > std::size_t{budget_.depth_max} * frames_per_depth) {
    budget_.fail(Budget::Limit::depth);
    return;
  }
  if (!budget_.fits((locals_.size() + function.locals) * sizeof(Value))) {
    return;
  }
  locals_.resize(locals_.size() + function.locals);
  closures_.insert(closures_.end(), operands_.begin(), operands_.end());
  frames_.push_back(fresh);
  frame_ = static_cast<std::uint32_t>(frames_.size() - 1);
  code_ = function.entry;
}

/// Gives the frame's room back unless a fork may come back to it. Does not change which frame is
/// current.
void Machine::pop_frame() {
  auto frozen = forks_.empty() ? 1 : forks_.back().frames;
  if (frame_ >= frozen && frame_ + 1 == frames_.size()) {
    locals_.resize(frame().locals);
    closures_.resize(frame().closures);
    frames_.pop_back();
  }
}

Machine::Flow Machine::call(const Instruction& at) {
  std::uint32_t count = at.a & static_cast<std::uint8_t>(~tail_bit);
  operands_.clear();
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto& operand = program_.code[code_ + i];
    auto out = frame_out(operand.b);
    operands_.push_back(operand.op == Op::closure ? Closure{operand.c, out}
                                                  : closures_[frames_[out].closures + operand.c]);
  }
  push_frame({at.c, frame_out(at.b)}, code_ + count, (at.a & tail_bit) != 0);
  return Flow::go;
}

Machine::Flow Machine::call_parameter(const Instruction& at) {
  auto closure = closures_[frames_[frame_out(at.b)].closures + at.c];
  operands_.clear();
  push_frame(closure, code_, (at.a & tail_bit) != 0);
  return Flow::go;
}

Machine::Flow Machine::ret() {
  if (frame_ == 0) {
    output_ = pop();
    return Flow::output;
  }
  code_ = frame().back_to;
  auto caller = frame().caller;
  pop_frame();
  frame_ = caller;
  return Flow::go;
}

/// Leaves a fork at the instruction being executed.
void Machine::fork(std::uint64_t label) {
  if (forks_.size() >= std::size_t{budget_.depth_max} * forks_per_depth) {
    budget_.fail(Budget::Limit::depth);
    return;
  }
  Fork fresh;
  fresh.code = code_ - 1;
  fresh.top = top_;
  fresh.values = static_cast<std::uint32_t>(values_.size());
  fresh.frame = frame_;
  fresh.frames = static_cast<std::uint32_t>(frames_.size());
  fresh.locals = static_cast<std::uint32_t>(locals_.size());
  fresh.closures = static_cast<std::uint32_t>(closures_.size());
  fresh.quiet = quiet_;
  fresh.label = label;
  if (!path_.is_null()) {
    fresh.path = path_;
    fresh.path_value = path_value_;
  }
  frozen_ = fresh.values;
  forks_.push_back(std::move(fresh));
}

/// Back to the youngest fork that has another way to go; false when there is none.
bool Machine::back() {
  while (!forks_.empty() && budget_.spend(1)) {
    auto fork = std::move(forks_.back());
    forks_.pop_back();
    frozen_ = forks_.empty() ? 0 : forks_.back().values;
    values_.resize(fork.values);
    frames_.resize(fork.frames);
    locals_.resize(fork.locals);
    closures_.resize(fork.closures);
    top_ = fork.top;
    frame_ = fork.frame;
    quiet_ = fork.quiet;
    path_ = std::move(fork.path);
    path_value_ = std::move(fork.path_value);
    if (resume(fork)) {
      return true;
    }
  }
  return false;
}

/// What a fork does when it is its turn again; false: nothing, further back.
bool Machine::resume(const Fork& fork) {
  const auto& at = program_.code[fork.code];
  switch (at.op) {
    case Op::fork: code_ = at.c; return raise_ == Raise::none;
    case Op::each: code_ = fork.code + 1; return raise_ == Raise::none && each_next();
    case Op::range: code_ = fork.code + 1; return raise_ == Raise::none && range_next();
    case Op::try_begin:
      if (raise_ != Raise::error) {
        return false;
      }
      if (wraps_ > 0) {  // raised after the block had given its value: not the block's error
        --wraps_;
        return false;
      }
      replace(std::move(error_));
      raise_ = Raise::none;
      code_ = at.c;
      return true;
    case Op::try_end: wraps_ += raise_ == Raise::error ? 1 : 0; return false;
    case Op::label:
      if (raise_ == Raise::jump && jump_label_ == fork.label) {
        raise_ = Raise::none;
      }
      return false;
    case Op::alternative:
      if (raise_ != Raise::error) {
        return false;
      }
      raise_ = Raise::none;
      wraps_ = 0;
      code_ = at.c;
      return true;
    default: return false;
  }
}

/// After forks were dropped: gives back what only they held.
void Machine::compact() {
  std::uint32_t values = 0;
  std::uint32_t frames = 0;
  if (!forks_.empty()) {
    values = forks_.back().values;
    frames = forks_.back().frames;
  }
  frozen_ = values;
  values_.resize(std::max(values, top_));
  if (frame_ + 1 >= frames) {
    auto locals = frame().locals + program_.functions[frame().function].locals;
    auto closures = frame().closures + program_.functions[frame().function].parameters;
    locals_.resize(locals);
    closures_.resize(closures);
    frames_.resize(frame_ + 1);
  } else {
    locals_.resize(forks_.back().locals);
    closures_.resize(forks_.back().closures);
    frames_.resize(frames);
  }
}

}  // namespace aios::expr::detail
