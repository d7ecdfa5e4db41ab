// SPDX-License-Identifier: Apache-2.0
#pragma once
// expr/detail/jq_compiler: from the tree to instructions. Names are resolved here: what the text
// defines, then the built-in natives, then definitions of the library, which are compiled in when
// somebody uses them.

#include "core/result.h"
#include "expr/detail/jq_ast.h"
#include "expr/detail/jq_program.h"
#include "expr/jq.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace aios::expr::detail {

class Compiler {
 public:
  static Result<std::shared_ptr<const CompiledProgram>> compile(std::string_view text,
                                                                const CompileOptions& options);

 private:
  using Done = Result<void>;
  struct Binding {
    enum class Kind : std::uint8_t { variable, function, parameter, label } kind;
    std::string name;
    std::uint32_t arity = 0;
    std::uint32_t depth = 0;  // of the function it belongs to
    std::uint32_t index = 0;  // slot, function or parameter
  };
  struct Open {  // a function being compiled
    std::uint32_t id = 0;
    std::uint32_t depth = 0;
    std::uint32_t locals = 0;
    std::vector<Instruction> code;
  };

  explicit Compiler(const Tree& tree) : tree_(&tree) {}

  Done expression(NodeId id);
  Done expression_more(const Node& node);
  Done sub(NodeId id);    // [v] -> [x, v]
  Done quiet(NodeId id);  // [v] -> [x], without leaving a trace in a path
  Done index(const Node& node);
  Done slice(const Node& node);
  Done string(const Node& node);
  Done array(const std::function<Done()>& body);
  Done object(const Node& node);
  Done object_member(NodeId key, NodeId value);
  Done comma(const Node& node);
  Done logic(const Node& node);
  Done binary(const Node& node);
  Done alternative(const Node& node);
  Done attempt(const Node& node);
  Done condition(const Node& node);
  Done label(const Node& node);
  Done jump_out(const Node& node);
  Done variable(const Node& node);
  // folds and patterns
  std::uint32_t fork_with_input();
  Done reduce(const Node& node);
  Done foreach (const Node& node);
  Done bind(const Node& node);
  Done patterns(const Node& node);  // [s] -> []
  Done destructure(NodeId pattern);
  Done destructure_member(NodeId key, NodeId inner);
  void declare(NodeId pattern, std::vector<std::uint32_t>* slots);
  Done store_named(const std::string& name);
  // updates
  Done update(const Node& node);
  Done modify(NodeId paths, const std::function<Done()>& change);
  // functions
  Done define(const Node& node);
  Done function_body(std::uint32_t id, const std::vector<std::string>& parameters, NodeId body);
  Done call(const Node& node);
  Done special(const Node& node, bool* known);
  Done special_more(const Node& node, bool* known);
  Done range(const Node& node);
  Done call_native(const Node& node, std::uint32_t native);
  Done call_function(const Node& node, std::uint32_t id, std::uint16_t level);
  Done library(const Node& node, bool* known);
  Done call_library(std::string_view name, const Node& like);
  Done closure(NodeId argument, Instruction* operand);
  Error unknown(const Node& node) const;

  const Node& at(NodeId id) const { return (*tree_)[id]; }
  const Binding* find(Binding::Kind kind, std::string_view name) const;
  const Binding* find_callable(std::string_view name, std::size_t arity) const;
  std::uint16_t level_of(const Binding& binding) const;
  std::optional<Json> constant(NodeId id) const;
  std::optional<Json> constant_container(const Node& node) const;
  std::uint32_t keep(Json value);

  Open& open() { return open_.back(); }
  std::uint32_t emit(Op op, std::uint32_t c = 0, std::uint16_t b = 0, std::uint8_t a = 0);
  std::uint32_t here() { return static_cast<std::uint32_t>(open().code.size()); }
  void land(std::uint32_t jump) { open().code[jump].c = here(); }
  std::uint32_t slot() { return open().locals++; }
  std::uint32_t begin_function(std::uint32_t parameters);
  void enter(std::uint32_t id, std::uint32_t depth);
  void finish_function();
  void mark_tail_calls(std::vector<Instruction>& code) const;
  Error wrong(const Node& node, std::string message) const;

  const Tree* tree_;
  std::string_view source_;  // of tree_, for positions
  bool in_library_ = false;
  std::vector<Binding> bindings_;
  std::vector<Open> open_;
  std::unordered_map<std::string, std::uint32_t> library_;  // "name/arity" -> function
  std::vector<std::unique_ptr<Tree>> library_trees_;
  std::shared_ptr<CompiledProgram> program_ = std::make_shared<CompiledProgram>();
};

}  // namespace aios::expr::detail
