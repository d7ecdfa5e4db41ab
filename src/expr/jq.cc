// SPDX-License-Identifier: Apache-2.0
#include "expr/jq.h"

#include "core/text.h"
#include "expr/detail/jq_compiler.h"
#include "expr/detail/jq_machine.h"
#include "expr/detail/jq_print.h"

#include <fmt/format.h>

#include <utility>

namespace aios::expr {
namespace {

using detail::Budget;
using detail::CompiledProgram;
using detail::Machine;

Error located(const CompiledProgram& program, Error error) {
  if (program.file.empty() && program.line == 0) {
    return error;
  }
  return std::move(error).at(program.file, program.line, program.column);
}

std::string limit_text(Budget::Limit limit, const EvalLimits& limits) {
  switch (limit) {
    case Budget::Limit::steps: return fmt::format("took more than {} steps", limits.steps_max);
    case Budget::Limit::depth:
      return fmt::format("is nested more than {} levels deep", limits.depth_max);
    case Budget::Limit::memory:
      return fmt::format("needs more than {} bytes of memory", limits.memory_bytes_max);
    case Budget::Limit::outputs: return fmt::format("gave more than {} values", limits.outputs_max);
    case Budget::Limit::output_depth:
      return fmt::format("gave a value nested more than {} levels deep", limits.output_depth_max);
    case Budget::Limit::regex: return "holds a regular expression that backtracks too much";
    case Budget::Limit::none: break;
  }
  return "stopped";
}

Error stopped(const CompiledProgram& program, Budget::Limit limit, const EvalLimits& limits) {
  Error error(Code::resource_exhausted,
              fmt::format("the expression {}", limit_text(limit, limits)));
  return located(program, std::move(error).page(109).with(
                              fmt::format("evaluating '{}'", excerpt(program.text, 80))));
}

Error raised(const CompiledProgram& program, Machine& machine) {
  const auto& value = machine.error_value();
  std::string message;
  if (machine.failed_by_break()) {
    message = "break out of a label that has ended";
  } else if (value.is_string()) {
    message = excerpt(value.text(), 1000);
  } else {
    message = fmt::format("{} (not a string)", excerpt(json_text(machine.budget(), value), 1000));
  }
  return located(program, Error(Code::invalid_argument, std::move(message))
                              .page(108)
                              .with(fmt::format("evaluating '{}'", excerpt(program.text, 80))));
}

Result<std::vector<const Json*>> variables_of(const CompiledProgram& program, Variables given) {
  std::vector<const Json*> values;
  values.reserve(program.variables.size());
  for (std::size_t i = 0; i < program.variables.size(); ++i) {
    const auto& name = program.variables[i];
    const Json* value = i < given.size() && given[i].name == name ? given[i].value : nullptr;
    for (std::size_t k = 0; k < given.size() && value == nullptr; ++k) {
      value = given[k].name == name ? given[k].value : nullptr;
    }
    if (value == nullptr) {
      return located(
          program,
          Error(Code::invalid_argument, fmt::format("variable ${} has no value", name)).page(108));
    }
    values.push_back(value);
  }
  return values;
}

/// Runs for at most `wanted` outputs.
Result<std::vector<Json>> run(const CompiledProgram& program, const Json& input, Variables given,
                              const EvalOptions& options, std::size_t wanted) {
  auto variables = variables_of(program, given);
  if (!variables.ok()) {
    return std::move(variables).error();
  }
  Machine machine(program, options);
  machine.start(input, *variables);
  auto& budget = machine.budget();
  std::vector<Json> outputs;
  detail::Value output;
  while (outputs.size() < wanted && machine.next(&output)) {
    if (outputs.size() == options.limits.outputs_max) {
      budget.fail(Budget::Limit::outputs);
      break;
    }
    outputs.push_back(to_json(budget, output, options.limits.output_depth_max));
    if (budget.exceeded != Budget::Limit::none) {
      break;
    }
  }
  if (budget.exceeded != Budget::Limit::none) {
    return stopped(program, budget.exceeded, options.limits);
  }
  if (machine.failed()) {
    return raised(program, machine);
  }
  return outputs;
}

}  // namespace

Program::Program(std::shared_ptr<const CompiledProgram> program) : program_(std::move(program)) {}

const std::string& Program::text() const { return program_->text; }

Result<Program> Program::compile(std::string_view text, const CompileOptions& options) {
  if (!is_utf8(text)) {
    return Error(Code::invalid_argument, "found bytes that are not UTF-8")
        .page(107)
        .at(options.file, options.line, options.column);
  }
  auto program = detail::Compiler::compile(text, options);
  if (!program.ok()) {
    return std::move(program).error();
  }
  return Program(std::move(program).value());
}

Result<Json> Program::eval_one(const Json& input, Variables variables,
                               const EvalOptions& options) const {
  auto outputs = run(*program_, input, variables, options, 2);
  if (!outputs.ok()) {
    return std::move(outputs).error();
  }
  if (outputs->size() != 1) {
    auto found = outputs->empty() ? "no value" : "more than one value";
    return located(*program_,
                   Error(Code::invalid_argument, fmt::format("found {}, wanted one, from '{}'",
                                                             found, excerpt(program_->text, 80)))
                       .page(110));
  }
  return std::move(outputs->front());
}

Result<std::vector<Json>> Program::eval_all(const Json& input, Variables variables,
                                            const EvalOptions& options) const {
  return run(*program_, input, variables, options, SIZE_MAX);
}

}  // namespace aios::expr
