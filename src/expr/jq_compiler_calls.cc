// SPDX-License-Identifier: Apache-2.0
// Names, definitions, calls, and the finished program.
#include "core/text.h"
#include "expr/detail/jq_compiler.h"
#include "expr/detail/jq_lexer.h"
#include "expr/detail/jq_natives.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace aios::expr::detail {
namespace {

constexpr std::uint32_t slots_max = 60'000;
constexpr std::size_t arguments_max = 100;
constexpr std::size_t functions_max = 50'000;

bool has_target(Op op) {
  constexpr std::array<Op, 7> with_target = {
      Op::fork,      Op::jump,       Op::jump_false, Op::jump_true, Op::jump_null_false,
      Op::try_begin, Op::alternative};
  return std::find(with_target.begin(), with_target.end(), op) != with_target.end();
}

}  // namespace

const Compiler::Binding* Compiler::find(Binding::Kind kind, std::string_view name) const {
  for (auto binding = bindings_.rbegin(); binding != bindings_.rend(); ++binding) {
    if (binding->kind == kind && binding->name == name) {
      return &*binding;
    }
  }
  return nullptr;
}

const Compiler::Binding* Compiler::find_callable(std::string_view name, std::size_t arity) const {
  for (auto binding = bindings_.rbegin(); binding != bindings_.rend(); ++binding) {
    bool callable =
        binding->kind == Binding::Kind::function || binding->kind == Binding::Kind::parameter;
    if (callable && binding->arity == arity && binding->name == name) {
      return &*binding;
    }
  }
  return nullptr;
}

std::uint16_t Compiler::level_of(const Binding& binding) const {
  return static_cast<std::uint16_t>(open_.back().depth - binding.depth);
}

std::uint32_t Compiler::begin_function(std::uint32_t parameters) {
  program_->functions.push_back({0, 0, parameters});
  return static_cast<std::uint32_t>(program_->functions.size() - 1);
}

void Compiler::enter(std::uint32_t id, std::uint32_t depth) {
  Open fresh;
  fresh.id = id;
  fresh.depth = depth;
  open_.push_back(std::move(fresh));
}

/// A call that only "return" follows needs its frame no more, unless a closure made here refers
/// to it.
void Compiler::mark_tail_calls(std::vector<Instruction>& code) const {
  for (std::size_t i = 0; i < code.size(); ++i) {
    auto& call = code[i];
    if (call.op != Op::call && call.op != Op::call_parameter) {
      continue;
    }
    std::size_t operands = call.op == Op::call ? call.a : 0;
    bool free = call.op == Op::call_parameter || call.b != 0;
    for (std::size_t k = 1; k <= operands; ++k) {
      free = free && (code[i + k].op != Op::closure || code[i + k].b != 0);
    }
    auto next = i + operands + 1;
    for (std::size_t hops = 0; hops < 64 && code[next].op == Op::jump; ++hops) {
      next = code[next].c;
    }
    if (free && code[next].op == Op::ret) {
      call.a |= tail_bit;
    }
  }
}

void Compiler::finish_function() {
  auto done = std::move(open_.back());
  open_.pop_back();
  if (done.id != 0) {
    mark_tail_calls(done.code);
  }
  auto& function = program_->functions[done.id];
  function.entry = static_cast<std::uint32_t>(program_->code.size());
  function.locals = done.locals;
  for (auto& instruction : done.code) {
    if (has_target(instruction.op)) {
      instruction.c += function.entry;
    }
    program_->code.push_back(instruction);
  }
}

Compiler::Done Compiler::define(const Node& node) {
  auto arity = static_cast<std::uint32_t>(node.names.size());
  auto id = begin_function(arity);
  bindings_.push_back({Binding::Kind::function, node.text, arity, open().depth, id});
  auto done = function_body(id, node.names, node.kids[0]);
  if (done.ok() && node.kids[1] != no_node) {
    done = expression(node.kids[1]);
  }
  bindings_.pop_back();
  return done;
}

Compiler::Done Compiler::function_body(std::uint32_t id, const std::vector<std::string>& parameters,
                                       NodeId body) {
  if (program_->functions.size() > functions_max || open().depth > 10'000) {
    return wrong(at(body), "the expression defines too many functions");
  }
  enter(id, open().depth + 1);
  auto known = bindings_.size();
  for (std::uint32_t i = 0; i < parameters.size(); ++i) {
    bool value = parameters[i].front() == '$';
    auto name = parameters[i].substr(value ? 1 : 0);
    bindings_.push_back({Binding::Kind::parameter, name, 0, open().depth, i});
    if (value) {
      auto kept = slot();
      emit(Op::subexpression_begin);
      emit(Op::call_parameter, i);
      emit(Op::subexpression_end);
      emit(Op::store_under, kept);
      bindings_.push_back({Binding::Kind::variable, name, 0, open().depth, kept});
    }
  }
  auto done = expression(body);
  emit(Op::ret);
  bool large = open().locals > slots_max;
  bindings_.resize(known);
  finish_function();
  return done.ok() && large ? Done(wrong(at(body), "the expression needs too many variables"))
                            : done;
}

Error Compiler::unknown(const Node& node) const {
  std::vector<std::string> candidates;
  bool variable = node.syntax == Syntax::variable;
  for (const auto& binding : bindings_) {
    if ((binding.kind == Binding::Kind::variable) == variable && !in_library_) {
      candidates.push_back(binding.name);
    }
  }
  if (!variable) {
    for (const auto& name : builtin_names()) {
      candidates.push_back(name.substr(0, name.find('/')));
    }
  }
  auto close = nearest_name(node.text, candidates);
  auto shown = variable ? "$" + node.text : fmt::format("{}/{}", node.text, node.kids.size());
  auto hint = close.empty() || close == node.text
                  ? std::string()
                  : fmt::format("; did you mean {}{}?", variable ? "$" : "", close);
  return wrong(node, fmt::format("{} is not defined{}", shown, hint));
}

Compiler::Done Compiler::call(const Node& node) {
  if (node.kids.size() > arguments_max) {
    return wrong(node, fmt::format("more than {} arguments", arguments_max));
  }
  if (const auto* known = find_callable(node.text, node.kids.size())) {
    if (known->kind == Binding::Kind::parameter) {
      emit(Op::call_parameter, known->index, level_of(*known));
      return {};
    }
    return call_function(node, known->index, level_of(*known));
  }
  bool known = false;
  auto done = special(node, &known);
  if (known || !done.ok()) {
    return done;
  }
  if (auto native = find_native(node.text, node.kids.size())) {
    return call_native(node, *native);
  }
  done = library(node, &known);
  return known || !done.ok() ? done : Done(unknown(node));
}

/// The last argument is the outermost loop.
Compiler::Done Compiler::call_native(const Node& node, std::uint32_t native) {
  for (std::size_t i = node.kids.size(); i-- > 0;) {
    auto done = sub(node.kids[i]);
    if (!done.ok()) {
      return done;
    }
  }
  emit(Op::native, native, 0, static_cast<std::uint8_t>(node.kids.size()));
  return {};
}

Compiler::Done Compiler::call_function(const Node& node, std::uint32_t id, std::uint16_t level) {
  std::vector<Instruction> operands(node.kids.size());
  for (std::size_t i = 0; i < operands.size(); ++i) {
    auto done = closure(node.kids[i], &operands[i]);
    if (!done.ok()) {
      return done;
    }
  }
  emit(Op::call, id, level, static_cast<std::uint8_t>(operands.size()));
  open().code.insert(open().code.end(), operands.begin(), operands.end());
  return {};
}

Compiler::Done Compiler::closure(NodeId argument, Instruction* operand) {
  const auto& node = at(argument);
  const auto* known =
      node.syntax == Syntax::call && node.kids.empty() ? find_callable(node.text, 0) : nullptr;
  if (known != nullptr) {
    bool parameter = known->kind == Binding::Kind::parameter;
    *operand = {parameter ? Op::closure_parameter : Op::closure, 0, level_of(*known), known->index};
    return {};
  }
  auto id = begin_function(0);
  *operand = {Op::closure, 0, 0, id};
  return function_body(id, {}, argument);
}

Compiler::Done Compiler::library(const Node& node, bool* known) {
  auto key = fmt::format("{}/{}", node.text, node.kids.size());
  auto found = library_.find(key);
  if (found == library_.end()) {
    auto text = library_definition(node.text, node.kids.size());
    if (text.empty()) {
      return {};
    }
    auto parsed = parse_jq(text, Library::definitions);
    AIOS_ASSERT(parsed.ok());
    library_trees_.push_back(std::make_unique<Tree>(std::move(parsed).value()));
    const auto* tree = library_trees_.back().get();
    const auto& definition = (*tree)[tree->root];
    auto id = begin_function(static_cast<std::uint32_t>(definition.names.size()));
    found = library_.emplace(key, id).first;
    auto outer_tree = std::exchange(tree_, tree);
    auto outer_source = std::exchange(source_, text);
    auto outer_bindings = std::exchange(bindings_, {});
    bool outer_library = std::exchange(in_library_, true);
    auto outer_open = std::exchange(open_, {});
    enter(0, 0);  // a stand-in for the outermost frame; library functions see nothing of it
    auto done = function_body(id, definition.names, definition.kids[0]);
    open_ = std::move(outer_open);
    tree_ = outer_tree;
    source_ = outer_source;
    bindings_ = std::move(outer_bindings);
    in_library_ = outer_library;
    if (!done.ok()) {
      return done;
    }
  }
  *known = true;
  return call_function(node, library_.at(key), root_level);
}

Compiler::Done Compiler::call_library(std::string_view name, const Node& like) {
  Node node;
  node.syntax = Syntax::call;
  node.at = like.at;
  node.text = name;
  bool known = false;
  auto done = library(node, &known);
  AIOS_ASSERT(known || !done.ok());
  return done;
}

Result<std::shared_ptr<const CompiledProgram>> Compiler::compile(std::string_view text,
                                                                 const CompileOptions& options) {
  auto tree = parse_jq(text);
  auto place = [&options](Error error) -> Error {
    bool first_line = error.line() <= 1;
    auto line = options.line == 0 ? error.line() : options.line + error.line() - 1;
    auto column =
        options.column == 0 || !first_line ? error.column() : options.column + error.column() - 1;
    return std::move(error).at(options.file, line, column);
  };
  if (!tree.ok()) {
    return place(std::move(tree).error());
  }
  Compiler compiler(*tree);
  compiler.source_ = text;
  auto& program = *compiler.program_;
  program.text = text;
  program.file = options.file;
  program.line = options.line;
  program.column = options.column;
  program.variables = options.variables;
  compiler.begin_function(0);
  compiler.enter(0, 0);
  for (const auto& name : options.variables) {
    auto slot = compiler.slot();
    compiler.bindings_.push_back({Binding::Kind::variable, name, 0, 0, slot});
  }
  auto done = compiler.expression(tree->root);
  if (!done.ok()) {
    return place(std::move(done).error());
  }
  compiler.emit(Op::ret);
  if (compiler.open().locals > slots_max) {
    return place(compiler.wrong((*tree)[tree->root], "the expression needs too many variables"));
  }
  compiler.finish_function();
  return std::shared_ptr<const CompiledProgram>(compiler.program_);
}

}  // namespace aios::expr::detail
