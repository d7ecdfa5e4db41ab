// SPDX-License-Identifier: Apache-2.0
// An expression in the first line, its input behind that: it ends within its bounds, and twice with
// the same.
#include "expr/jq.h"

#include "core/text.h"
#include "expr/runtime_expression.h"
#include "tests/fuzz/fuzz.h"

namespace aios::fuzz {

void jq(std::string_view input) {
  const auto [text, rest] = cut(input, "\n");
  expr::shape_of(text);
  const Json variable = JsonObject{{"a", 1}};
  const auto program = expr::Program::compile(text, {.variables = {"given"}, .line = 1});
  if (!program.ok()) {
    AIOS_ASSERT(program.error().page() == 107 && is_utf8(program.error().message()));
    return;
  }
  auto value = parse_json(rest);
  const Json dot = value.ok() ? std::move(*value) : Json(nullptr);
  const expr::Variable given[] = {{"given", &variable}};
  const expr::EvalOptions options{.now = Time{1'700'000'000'000'000'000},
                                  .limits = {.steps_max = 5'000,
                                             .depth_max = 500,
                                             .memory_bytes_max = std::size_t{4} << 20,
                                             .outputs_max = 50,
                                             .output_depth_max = 100}};
  const auto out = program->eval_all(dot, given, options);
  const auto again = program->eval_all(dot, given, options);
  AIOS_ASSERT(out.ok() == again.ok());
  if (!out.ok()) {
    AIOS_ASSERT(out.error().message() == again.error().message());
    AIOS_ASSERT(out.error().page() == 108 || out.error().page() == 109);
    return;
  }
  AIOS_ASSERT(*out == *again && out->size() <= options.limits.outputs_max);
  for (const Json& one : *out) {
    const std::string printed = to_text(one);
    AIOS_ASSERT(is_utf8(printed));
    const auto read = parse_json(printed);
    AIOS_ASSERT(read.ok() && to_text(*read) == printed);
  }
}

}  // namespace aios::fuzz
