// SPDX-License-Identifier: Apache-2.0
#pragma once
// expr/jq: the jq language (1.8) over Json, for expressions that come from documents.
// Nothing outside is reached: no files, no modules, no environment ($ENV is {}), no further inputs,
// no clock but EvalOptions::now, no way to end the process (`halt` is refused when compiled). Every
// evaluation is bounded; an endless recursion, a range of a billion or a regular expression that
// backtracks for ever ends with an error that `try` cannot catch. The C stack does not grow with
// the expression's recursion. Threading: a Program is immutable; copies share it and may be used
// from any thread at once.

#include "core/json.h"
#include "core/result.h"
#include "core/time.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace aios::expr {

struct CompileOptions {
  /// Names without "$" that the expression may use besides its own; given at evaluation.
  std::vector<std::string> variables{};
  /// Named in errors; line and column are those of the expression's first character (0: count from
  /// 1).
  std::string file{};
  std::uint32_t line = 0;
  std::uint32_t column = 0;
};

struct EvalLimits {
  std::uint64_t steps_max = 1'000'000;
  /// Calls that wait for each other, and levels of nesting of a value under construction.
  std::uint32_t depth_max = 10'000;
  std::size_t memory_bytes_max = std::size_t{64} << 20;
  std::size_t outputs_max = 10'000;
  /// Levels of nesting of an output: what parse_json takes by default.
  std::uint32_t output_depth_max = 256;
};

struct EvalOptions {
  Time now{};  ///< what `now` gives
  EvalLimits limits{};
};

/// A value for one of CompileOptions::variables; must outlive the call.
struct Variable {
  std::string_view name{};
  const Json* value = nullptr;
};
using Variables = std::span<const Variable>;

namespace detail {
struct CompiledProgram;
}

class Program {
 public:
  /// @return invalid_argument [AIOS-0107] with file, line and column.
  static Result<Program> compile(std::string_view text, const CompileOptions& options = {});

  /// The one output. Input and variables are borrowed for the call; what is not used is not copied.
  /// @return invalid_argument [AIOS-0108] for an error the expression raised, resource_exhausted
  /// [AIOS-0109] at a
  ///         limit, invalid_argument [AIOS-0110] when there is no output or more than one.
  Result<Json> eval_one(const Json& input, Variables variables = {},
                        const EvalOptions& options = {}) const;
  /// Every output, in order; errors as above.
  Result<std::vector<Json>> eval_all(const Json& input, Variables variables = {},
                                     const EvalOptions& options = {}) const;
  const std::string& text() const;

 private:
  explicit Program(std::shared_ptr<const detail::CompiledProgram> program);
  std::shared_ptr<const detail::CompiledProgram> program_;
};

}  // namespace aios::expr
