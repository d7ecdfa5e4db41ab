// SPDX-License-Identifier: Apache-2.0
#include "expr/runtime_expression.h"

#include "core/text.h"
#include "expr/position.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace aios::expr {

/// A document with its expressions; parts without any are kept whole in `constant`.
struct Template::Node {
  enum class Kind : std::uint8_t { constant, expression, array, object } kind = Kind::constant;
  Json constant;
  std::optional<Program> program;
  std::string pointer;  // of an expression
  std::vector<Node> kids;
  std::vector<std::string> names;  // of the kids of an object

  static Result<Node> compile(const Json& document, const CompileOptions& options,
                              const PlaceOf& place, const std::string& pointer, std::size_t depth);
  static Result<Node> compile_kids(const Json& document, const CompileOptions& options,
                                   const PlaceOf& place, const std::string& pointer,
                                   std::size_t depth);
  Result<Json> evaluate(const Json& input, Variables variables, const EvalOptions& options) const;
};

TextShape shape_of(std::string_view text) {
  auto bare = trim(text);
  if (bare.starts_with("${") && bare.ends_with("}")) {
    return TextShape::expression;
  }
  return text.find("${") == std::string_view::npos ? TextShape::literal : TextShape::mixed;
}

std::optional<std::string_view> expression_in(std::string_view text) {
  if (shape_of(text) != TextShape::expression) {
    return std::nullopt;
  }
  auto bare = trim(text);
  return trim(bare.substr(2, bare.size() - 3));
}

namespace {

/// The byte at a line and column, both from 1.
std::size_t byte_of(std::string_view text, std::uint32_t line, std::uint32_t column) {
  std::size_t at = 0;
  for (; line > 1; --line) {
    at = std::min(text.find('\n', at), text.size() - 1) + 1;
  }
  for (; column > 1 && at < text.size(); --column) {
    do {
      ++at;
    } while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80);
  }
  return at;
}

}  // namespace

Result<Program> compile_text(std::string_view text, std::string_view pointer,
                             const CompileOptions& options, const PlaceOf& place) {
  const std::string_view inner = expression_in(text).value_or(text);
  if (trim(inner).starts_with("${")) {
    return Error(Code::invalid_argument, "'${' is not closed, wanted a '}' at the end of the text")
        .page(107);
  }
  auto program = Program::compile(inner, options);
  if (program.ok() || place == nullptr || program.error().line() == 0 || inner.empty()) {
    return program;
  }
  const Error& error = program.error();
  const std::size_t byte = byte_of(inner, error.line(), error.column());
  const auto found =
      place(pointer, text, static_cast<std::size_t>(inner.data() - text.data()) + byte);
  if (found) {
    return Error(error).at(options.file, found->line, found->column);
  }
  const auto before = inner.substr(0, byte);
  const auto characters = std::count_if(before.begin(), before.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  });
  return Error(error.code(),
               fmt::format("{} (character {} of the expression)", error.message(), characters + 1))
      .page(error.page());
}

Result<Template::Node> Template::Node::compile(const Json& document, const CompileOptions& options,
                                               const PlaceOf& place, const std::string& pointer,
                                               std::size_t depth) {
  constexpr std::size_t depth_max = 256;
  if (depth > depth_max) {
    return Error(Code::invalid_argument, fmt::format("nested more than {} levels", depth_max))
        .page(107)
        .with(fmt::format("compiling the expressions at {}", pointer));
  }
  Node node;
  if (document.is_string()) {
    if (shape_of(view(document.get_string())) == TextShape::expression) {
      auto program = compile_text(view(document.get_string()), pointer, options, place);
      if (!program.ok()) {
        return std::move(program).error().with(
            fmt::format("compiling the expression at {}", pointer.empty() ? "the root" : pointer));
      }
      node.kind = Kind::expression;
      node.program = std::move(program).value();
      node.pointer = pointer;
      return node;
    }
  }
  if (document.is_array() || document.is_object()) {
    return compile_kids(document, options, place, pointer, depth);
  }
  node.constant = document;
  return node;
}

Result<Template::Node> Template::Node::compile_kids(const Json& document,
                                                    const CompileOptions& options,
                                                    const PlaceOf& place,
                                                    const std::string& pointer, std::size_t depth) {
  Node node;
  node.kind = document.is_array() ? Kind::array : Kind::object;
  bool constant = true;
  auto add = [&](std::string name, const Json& value, std::string_view step) -> Result<void> {
    auto below = pointer;
    append_pointer(below, step);
    auto kid = compile(value, options, place, below, depth + 1);
    if (!kid.ok()) {
      return std::move(kid).error();
    }
    constant = constant && kid->kind == Kind::constant;
    node.kids.push_back(std::move(kid).value());
    node.names.push_back(std::move(name));
    return {};
  };
  Result<void> added;
  if (document.is_array()) {
    const auto& array = document.get_array();
    for (std::size_t i = 0; i < array.size() && added.ok(); ++i) {
      added = add("", array[i], std::to_string(i));
    }
  } else {
    for (const auto& member : document.get_object()) {
      std::string name(member.key().data(), member.key().size());
      added = add(name, member.value(), name);
      if (!added.ok()) {
        break;
      }
    }
  }
  if (!added.ok()) {
    return std::move(added).error();
  }
  if (constant) {
    node.kind = Kind::constant;
    node.kids.clear();
    node.names.clear();
    node.constant = document;
  }
  return node;
}

Result<Json> Template::Node::evaluate(const Json& input, Variables variables,
                                      const EvalOptions& options) const {
  if (kind == Kind::constant) {
    return constant;
  }
  if (kind == Kind::expression) {
    auto value = program->eval_one(input, variables, options);
    if (!value.ok()) {
      return std::move(value).error().with(
          fmt::format("filling {}", pointer.empty() ? "the document" : pointer));
    }
    return value;
  }
  JsonArray array;
  JsonObject object;
  if (kind == Kind::array) {
    array.reserve(kids.size());
  } else {
    object.reserve(kids.size());
  }
  for (std::size_t i = 0; i < kids.size(); ++i) {
    auto value = kids[i].evaluate(input, variables, options);
    if (!value.ok()) {
      return value;
    }
    if (kind == Kind::array) {
      array.push_back(std::move(value).value());
    } else {
      object.emplace(names[i], std::move(value).value());
    }
  }
  return kind == Kind::array ? Json(std::move(array)) : Json(std::move(object));
}

Result<Template> Template::compile(const Json& document, const CompileOptions& options,
                                   const PlaceOf& place) {
  auto root = Node::compile(document, options, place, "", 0);
  if (!root.ok()) {
    return std::move(root).error();
  }
  return Template(std::make_shared<const Node>(std::move(root).value()));
}

Result<Json> Template::evaluate(const Json& input, Variables variables,
                                const EvalOptions& options) const {
  return root_->evaluate(input, variables, options);
}

bool Template::is_constant() const { return root_->kind == Node::Kind::constant; }

}  // namespace aios::expr
