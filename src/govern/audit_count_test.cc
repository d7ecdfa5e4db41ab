// SPDX-License-Identifier: Apache-2.0
#include "govern/audit_count.h"

#include "core/text.h"

#include <fmt/format.h>

#include <doctest/doctest.h>

namespace aios::govern {
namespace {

Json leaf(std::string_view kind, std::string_view outcome, std::string_view operation) {
  return JsonObject{{"kind", kind},
                    {"outcome", outcome},
                    {"principal", JsonObject{{"id", "run_1"}}},
                    {"facts", JsonObject{{"operation", operation}, {"attempt", 2}}}};
}

}  // namespace

TEST_CASE("audit count: leaves are counted by the members that are named, and chosen by others") {
  auto filter = LeafFilter::parse({"kind=effect_outcome", "facts.attempt=2"}).value();
  auto count = LeafCount::by("facts.operation,outcome").value();
  for (const auto& one :
       {leaf("effect_outcome", "done", "pay"), leaf("effect_outcome", "done", "pay"),
        leaf("effect_outcome", "failed", "pay"), leaf("effect_intent", "admitted", "pay")}) {
    if (filter.takes(one)) {
      REQUIRE(count.add(one).ok());
    }
  }
  CHECK(to_text(count.to_json()) ==
        R"({"by":["facts.operation","outcome"],)"
        R"("items":[{"facts.operation":"pay","outcome":"done","count":2},)"
        R"({"facts.operation":"pay","outcome":"failed","count":1}],"total":3})");
  CHECK(count.header() == std::vector<std::string>{"COUNT", "FACTS.OPERATION", "OUTCOME"});
  CHECK(leaf_member(leaf("event", "accepted", ""), "principal") == "run_1");
}

TEST_CASE("audit count: other names, a choice without a value, and too many groups are refused") {
  CHECK(LeafCount::by("kind,colour").error().page() == 550);
  CHECK(LeafCount::by("").error().page() == 550);
  CHECK(LeafFilter::parse({"kind"}).error().page() == 550);
  CHECK(LeafFilter::parse({"facts.=x"}).error().page() == 550);
  auto count = LeafCount::by("outcome").value();
  for (std::size_t i = 0; i < LeafCount::groups_max; ++i) {
    REQUIRE(count.add(leaf("event", fmt::format("{}", i), "")).ok());
  }
  CHECK(count.add(leaf("event", "17", "")).ok());
  CHECK(count.add(leaf("event", "one more", "")).error().page() == 550);
}

}  // namespace aios::govern
