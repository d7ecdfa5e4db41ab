// SPDX-License-Identifier: Apache-2.0
#include "workflow/expression.h"

#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <optional>
#include <utility>

namespace aios::workflow {
namespace {

/// All expression texts of a value, in one text: to see which arguments they name.
void collect_expressions(const Json& value, bool bare, std::string* out) {
  if (value.is_string()) {
    const auto text = view(value.get_string());
    const auto inner = expr::expression_in(text);
    if (inner || bare) {
      *out += inner.value_or(text);
      *out += '\n';
    }
  } else if (value.is_array()) {
    for (const auto& item : value.get_array()) {
      collect_expressions(item, false, out);
    }
  } else if (value.is_object()) {
    for (const auto& member : value.get_object()) {
      collect_expressions(member.value(), false, out);
    }
  }
}

bool names(std::string_view text, std::string_view argument) {
  const auto marked = "$" + std::string(argument);
  for (auto at = text.find(marked); at != std::string_view::npos; at = text.find(marked, at + 1)) {
    const auto end = at + marked.size();
    const bool longer =
        end < text.size() &&
        (std::isalnum(static_cast<unsigned char>(text[end])) != 0 || text[end] == '_');
    if (!longer) {
      return true;
    }
  }
  return false;
}

Error not_readable(std::string_view name, std::string_view why) {
  return Error(Code::invalid_argument, fmt::format("found ${}, {}", name, why)).page(1005);
}

}  // namespace

struct Expression::Impl {
  std::vector<std::string> arguments;  // those that are read
  std::optional<expr::Program> program;
  std::optional<expr::Template> pattern;
  std::optional<Json> fixed;
};

Result<Expression> Expression::compile(const Json& value, BareText bare,
                                       const std::vector<std::string>& allowed,
                                       const expr::PlaceOf& place) {
  const bool whole = bare == BareText::expression && value.is_string();
  std::string text;
  collect_expressions(value, whole, &text);
  const auto is_allowed = [&](const char* name) {
    return std::find(allowed.begin(), allowed.end(), name) != allowed.end();
  };
  if (names(text, "secrets") && !is_allowed("secrets")) {
    return not_readable("secrets", "which no expression may read: connectors name their secrets");
  }
  if (names(text, "authorization") && !is_allowed("authorization")) {
    return not_readable("authorization", "which does not exist here: connectors authenticate");
  }
  for (const auto* late : {"input", "output", "context", "task"}) {
    if (names(text, late) && !is_allowed(late)) {
      return not_readable(
          late, fmt::format("which has no value here; allowed: ${}", join(allowed, ", $")));
    }
  }
  auto impl = std::make_shared<Impl>();
  expr::CompileOptions options;
  for (const auto& name : allowed) {
    if (names(text, name)) {
      impl->arguments.push_back(name);
    }
  }
  options.variables = impl->arguments;
  if (whole) {
    auto program = expr::compile_text(view(value.get_string()), "", options, place);
    if (!program.ok()) {
      return std::move(program).error();
    }
    impl->program = std::move(*program);
  } else {
    auto pattern = expr::Template::compile(value, options, place);
    if (!pattern.ok()) {
      return std::move(pattern).error();
    }
    if (pattern->is_constant()) {
      impl->fixed = value;
    }
    impl->pattern = std::move(*pattern);
  }
  Expression out;
  out.impl_ = std::move(impl);
  return out;
}

bool Expression::constant() const { return impl_ == nullptr || impl_->fixed.has_value(); }

Result<Json> Expression::evaluate(const Json& dot, const Arguments& arguments) const {
  AIOS_ASSERT(impl_ != nullptr);
  if (impl_->fixed) {
    return *impl_->fixed;
  }
  std::vector<expr::Variable> variables;
  variables.reserve(impl_->arguments.size());
  for (const auto& name : impl_->arguments) {
    variables.push_back({name, arguments.argument(name)});
  }
  expr::EvalOptions options;
  options.now = arguments.time();
  if (impl_->program) {
    return impl_->program->eval_one(dot, variables, options);
  }
  return impl_->pattern->evaluate(dot, variables, options);
}

}  // namespace aios::workflow
