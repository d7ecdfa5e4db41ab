// SPDX-License-Identifier: Apache-2.0
#pragma once
// expr/runtime_expression: `${ ... }` in documents. A text that is one runtime expression from end
// to end is replaced by its value, of any type; every other text stays as it is (strict mode of the
// workflow specification).

#include "core/json.h"
#include "core/result.h"
#include "expr/jq.h"
#include "expr/position.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

namespace aios::expr {

enum class TextShape : std::uint8_t {
  literal,     ///< holds no "${"
  expression,  ///< "${ ... }" from end to end, blanks around it aside
  mixed,       ///< "${" somewhere else: taken literally; worth a warning
};
TextShape shape_of(std::string_view text);
/// What stands between "${" and "}"; nothing for a text of another shape.
std::optional<std::string_view> expression_in(std::string_view text);

/// Where a byte of the text at a JSON pointer stands in the file; nothing where that is not known.
using PlaceOf = std::function<std::optional<Position>(std::string_view pointer,
                                                      std::string_view text, std::size_t offset)>;

/// Compiles what stands between "${" and "}", or a whole text that has neither.
/// @param place  null: errors have the line and column inside the expression. Else those in the
/// file; where the file's are not known none, and the message says which character it is.
Result<Program> compile_text(std::string_view text, std::string_view pointer,
                             const CompileOptions& options, const PlaceOf& place);

/// A document whose texts may be runtime expressions, compiled once. Copies share it; any thread
/// may use it.
class Template {
 public:
  /// @param place  as for compile_text.
  /// @return invalid_argument [AIOS-0107] naming the JSON pointer of the expression.
  static Result<Template> compile(const Json& document, const CompileOptions& options = {},
                                  const PlaceOf& place = nullptr);
  /// The document with each expression replaced by its one value.
  /// @return the errors of Program::eval_one, naming the JSON pointer of the expression.
  Result<Json> evaluate(const Json& input, Variables variables = {},
                        const EvalOptions& options = {}) const;
  /// Whether the document holds no expression, so that evaluate() gives it back as it is.
  bool is_constant() const;

 private:
  struct Node;
  explicit Template(std::shared_ptr<const Node> root) : root_(std::move(root)) {}
  std::shared_ptr<const Node> root_;
};

}  // namespace aios::expr
