// SPDX-License-Identifier: Apache-2.0
// A bundle without policies is told of once: by the workflow that asks for one, else by a warning.
#include "bundle/bundle.h"

#include <doctest/doctest.h>

namespace aios::bundle {
namespace {

constexpr const char* flow = R"(document: {dsl: 1.0.3, namespace: t, name: flow, version: 1.0.0}
do:
  - ask:
      call: policy:1.0.0@default
      with:
        path: support/decide
)";

Checked check(Files files) {
  workflow::FunctionRegistry functions;
  workflow::register_all_functions(functions);
  files["aios.yaml"] = "name: app\nversion: 1.0.0\n";
  files["workflows/flow.yaml"] = flow;
  return check_bundle(std::move(files), {}, functions);
}

TEST_CASE("check: no policy where a workflow asks one is an error and no warning beside it") {
  const auto checked = check({});
  REQUIRE(checked.errors.size() == 1);
  CHECK(checked.errors.front().page() == 1115);
  CHECK(checked.errors.front().text().starts_with(
      "workflows/flow.yaml:6:15: asks 'support/decide', and the bundle has no policy"));
  CHECK(checked.warnings.empty());
}

TEST_CASE("check: a rule that the policies lack is an error of its own") {
  const auto checked = check({{"policies/e.rego", "package other\nallow := true\n"}});
  REQUIRE(checked.errors.size() == 1);
  CHECK(checked.errors.front().page() == 1104);
}

}  // namespace
}  // namespace aios::bundle
