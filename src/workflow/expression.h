// SPDX-License-Identifier: Apache-2.0
#pragma once
// workflow/expression: a value of a document with its runtime expressions (jq) compiled, and the
// arguments that expressions may read ($context, $input, ...). Compiled once at load, shared by all
// runs, evaluated on any thread.

#include "core/json.h"
#include "core/result.h"
#include "core/time.h"
#include "expr/runtime_expression.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace aios::workflow {

/// Gives the value of an argument when an expression reads it. Borrowed for one evaluation.
class Arguments {
 public:
  virtual ~Arguments() = default;
  /// @param name  without "$": one that was allowed when the expression was compiled. Never null.
  virtual const Json* argument(std::string_view name) const = 0;
  virtual Time time() const = 0;  ///< what jq's `now` gives
};

/// Whether a text without ${ } is an expression (if, when, from, as) or a plain text (everything
/// else).
enum class BareText : std::uint8_t { expression, literal };

class Expression {
 public:
  Expression() = default;  ///< absent
  /// @param allowed  argument names that may be read here; another one is an error that names the
  /// nearest.
  /// @param place  of the value's texts in the file, pointers from the value on: an error then has
  /// its line and column.
  static Result<Expression> compile(const Json& value, BareText bare,
                                    const std::vector<std::string>& allowed,
                                    const expr::PlaceOf& place = nullptr);
  bool present() const { return impl_ != nullptr; }
  bool constant() const;  ///< holds no expression at all
  /// Bounded in steps, depth and memory. @param dot  what "." is.
  Result<Json> evaluate(const Json& dot, const Arguments& arguments) const;

 private:
  struct Impl;
  std::shared_ptr<const Impl> impl_;
};

/// jq's truth: everything but false and null.
inline bool is_true(const Json& value) {
  return !value.is_null() && !(value.is_bool() && !value.get_bool());
}

}  // namespace aios::workflow
