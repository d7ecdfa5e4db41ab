// SPDX-License-Identifier: Apache-2.0
#pragma once
// bundle/test/checking: a bundle that is given as texts, and what its check finds.

#include "bundle/bundle.h"

#include <string>
#include <utility>
#include <vector>

namespace aios::bundle::test {

inline Checked check(Files files) {
  workflow::FunctionRegistry functions;
  workflow::register_all_functions(functions);
  return check_bundle(std::move(files), {}, functions);
}

/// One text a finding: "file:line:column: message  [page]".
inline std::vector<std::string> texts(const std::vector<Error>& errors) {
  std::vector<std::string> out;
  for (const Error& error : errors) {
    out.push_back(error.text());
  }
  return out;
}

/// Allows whatever a test's bundle does.
inline constexpr const char* policies_of_all[] = {
    "event_admit", "pre_model_call", "connector_egress", "review_assign", "model_promote"};
inline void allow_all(Files* files) {
  for (const char* package : policies_of_all) {
    (*files)[std::string("policies/") + package + ".rego"] =
        std::string("package aios.") + package + "\nimport rego.v1\ndefault allow := true\n";
  }
}

}  // namespace aios::bundle::test
