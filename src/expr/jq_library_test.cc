// SPDX-License-Identifier: Apache-2.0
#include "expr/detail/jq_compiler.h"
#include "expr/detail/jq_natives.h"

#include <doctest/doctest.h>

#include <set>
#include <string>

TEST_CASE("jq library: every built-in compiles and is listed once") {
  std::set<std::string> seen;
  for (const auto& name : aios::expr::detail::builtin_names()) {
    CHECK_MESSAGE(seen.insert(name).second, name);
    auto slash = name.find('/');
    auto arity = std::stoi(name.substr(slash + 1));
    auto call = name.substr(0, slash);
    for (int i = 0; i < arity; ++i) {
      call += i == 0 ? "(." : "; .";
    }
    call += arity > 0 ? ")" : "";
    auto program = aios::expr::detail::Compiler::compile(call, {});
    CHECK_MESSAGE(program.ok(), name);
  }
  CHECK(seen.size() > 180);
  CHECK(seen.contains("limit/2"));
}
