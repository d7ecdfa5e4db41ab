// SPDX-License-Identifier: Apache-2.0
#include "workflow/problem.h"

#include <doctest/doctest.h>

namespace aios::workflow {

TEST_CASE("problem: a document can tell a budget that is used up from a refusal") {
  const auto poor = problem_of(Error(Code::budget_exceeded, "used up"), "/do/0/ask");
  const auto denied = problem_of(Error(Code::policy_denied, "no"), "/do/0/ask");
  CHECK(poor.status == 402);
  CHECK(denied.status == 403);
  CHECK(poor.type == uri_of(ProblemType::authorization));
  CHECK(denied.type == poor.type);
  CHECK(poor.instance == "/do/0/ask");
}

}  // namespace aios::workflow
