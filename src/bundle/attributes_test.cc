// SPDX-License-Identifier: Apache-2.0
#include "bundle/test/checking.h"

#include <doctest/doctest.h>

namespace aios::bundle {
namespace {

std::vector<std::string> warnings_of(const std::string& attributes) {
  Files files = {{"aios.yaml", "name: app\nversion: 1.0.0\n"},
                 {"workflows/flow.yaml",
                  "document:\n  dsl: 1.0.3\n  namespace: t\n  name: flow\n  version: 1.0.0\n"
                  "  metadata:\n    aios:\n      searchAttributes:\n" +
                      attributes + "do:\n  - a: {set: {b: 1}}\n"}};
  test::allow_all(&files);
  const auto checked = test::check(std::move(files));
  CHECK(test::texts(checked.errors) == std::vector<std::string>{});
  return test::texts(checked.warnings);
}

}  // namespace

TEST_CASE("attributes: what is named like no person's is not warned of") {
  CHECK(warnings_of("        intent: '${ $context.plan.intent }'\n"
                    "        amount: {type: number, value: '${ .order.amount // 0 }'}\n"
                    "        customer_tier: '${ .customer.tier }'\n"
                    "        late: {type: boolean, value: '${ .state == \"text.name\" }'}\n")
            .empty());
}

TEST_CASE("attributes: a personal name, of the attribute or of what it reads, is warned of") {
  const auto told = warnings_of(
      "        customerEmail: '${ .who }'\n"
      "        who: '${ .ticket.from }'\n"
      "        account: '${ \"DE89 3704 0044 0532 0130 00\" }'\n");
  REQUIRE(told.size() == 3);
  CHECK(told[0] ==
        "workflows/flow.yaml:9:9: the search attribute 'customerEmail' looks personal ('email'): "
        "its values are kept in clear, also in backups, and shown to all who may read runs  "
        "[AIOS-1076]");
  CHECK(told[1].find("'who' looks personal ('from')") != std::string::npos);
  CHECK(told[2].find("'account'") != std::string::npos);
}

}  // namespace aios::bundle
