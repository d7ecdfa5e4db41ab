// SPDX-License-Identifier: Apache-2.0
// What one call of a built-in could take from a shard is refused, and a refusal denies.
#include "core/text.h"
#include "govern/guard.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

namespace aios::govern {
namespace {

std::string ruled(const std::string& condition) {
  Guard guard;
  const std::string text = fmt::format(
      "package aios.connector_egress\nimport rego.v1\ndefault allow := false\nallow if {}\n",
      condition);
  REQUIRE(guard.load(default_tenant(), {{"a.rego", text}}, JsonObject()).ok());
  Context ctx = system_context(default_tenant(), "test");
  const auto ruling = guard.ask(ctx, GuardPoint::connector_egress, JsonObject{{"n", 1}});
  return ruling.allowed() ? "allowed" : join(ruling.decision.reasons, "; ");
}

}  // namespace

TEST_CASE("guard: a built-in that would take a core or all memory is refused by name") {
  const auto refuses = [](const std::string& condition, std::string_view builtin) {
    const std::string reason = ruled(condition);
    CHECK_MESSAGE(reason.find(fmt::format("built-in {} is refused", builtin)) != std::string::npos,
                  reason);
  };
  refuses("count(numbers.range(input.n, 1000000000)) > 0", "numbers.range");
  refuses("sprintf(\"%1000000000d\", [input.n]) != \"\"", "sprintf");
  refuses("count(net.cidr_expand(\"10.0.0.0/8\")) > 0", "net.cidr_expand");
  refuses("bits.lsh(input.n, 4000000000) > 0", "bits.lsh");
  refuses("units.parse(\"9e999999999K\") > 0", "units.parse");
  refuses("units.parse_bytes(sprintf(\"%de99_999_999kb\", [input.n])) > 0", "units.parse_bytes");
  // Undefined would turn a refusal into a permission here.
  refuses("not sprintf(\"%1000000000d\", [input.n])", "sprintf");
}

TEST_CASE("guard: a chain of squares ends with its time, not with the memory") {
  std::string squares = "s0 := 123456789012345678901234567890\n";
  for (int i = 1; i <= 60; ++i) {
    squares += fmt::format("s{} := s{} * s{}\n", i, i - 1, i - 1);
  }
  CHECK(ruled("s60 > 0\n" + squares).find("time limit") != std::string::npos);
}

TEST_CASE("guard: built-ins within their bounds decide as ever") {
  CHECK(ruled("count(numbers.range(1, 1000)) == 1000") == "allowed");
  CHECK(ruled("sprintf(\"%05d|%.2f|%s\", [2, 1.5, \"a\"]) == \"00002|1.50|a\"") == "allowed");
  CHECK(ruled("units.parse(\"2e3K\") == 2000000") == "allowed");
  CHECK(ruled("units.parse_bytes(\"1Ei\") == 1152921504606846976") == "allowed");
}

}  // namespace aios::govern
