// SPDX-License-Identifier: Apache-2.0
#include "observe/log.h"

#include <doctest/doctest.h>

#include <string>

namespace aios::observe {
namespace {

class FixedClock final : public runtime::Clock {
 public:
  Time now() override { return {1'790'000'000'000'000'000}; }
  Instant instant() override { return {0}; }
};

TEST_CASE("log: a line is one JSON object with time, level, area, message and fields") {
  FixedClock clock;
  std::string seen;
  Log log([&seen](std::string_view line) { seen = line; }, Level::info, clock);
  log.write(Level::warn, "store", "slow \"disk\"\n", {{"ms", 12}});
  CHECK(seen == R"({"time":")" + to_rfc3339(clock.now()) +
                    R"(","level":"warn","area":"store","message":"slow \"disk\"\n",)"
                    R"("fields":{"ms":12}})");
}

TEST_CASE("log: the context gives tenant and trace") {
  FixedClock clock;
  std::string seen;
  Log log([&seen](std::string_view line) { seen = line; }, Level::info, clock);
  Context ctx;
  ctx.tenant = default_tenant();
  ctx.trace = Trace::parse("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
  log.write(Level::info, "api", "hello", {}, &ctx);
  auto line = parse_json(seen);
  REQUIRE(line.ok());
  CHECK(text_or(*line, "tenant", "") == "default");
  CHECK(text_or(*line, "trace", "") == "0af7651916cd43dd8448eb211c80319c");
  CHECK(text_or(*line, "span", "") == "b7ad6b7169203331");
}

TEST_CASE("log: below the least level nothing is written") {
  int lines = 0;
  Log log([&lines](std::string_view) { ++lines; }, Level::warn);
  log.write(Level::info, "a", "b");
  CHECK(lines == 0);
  log.write(Level::error, "a", "b");
  CHECK(lines == 1);
}

TEST_CASE("log: an error carries code, page, retry class and place") {
  std::string seen;
  Log log([&seen](std::string_view line) { seen = line; });
  log.error("bundle", Error(Code::not_found, "no such thing").page(42).at("a.yaml", 3, 7));
  auto line = parse_json(seen);
  REQUIRE(line.ok());
  CHECK(text_or(*line, "level", "") == "error");
  const Json* fields = find(*line, "fields");
  REQUIRE(fields != nullptr);
  CHECK(text_or(*fields, "code", "") == "not_found");
  CHECK(text_or(*fields, "retry", "") == "never");
  CHECK(text_or(*fields, "page", "") == "AIOS-0042");
  CHECK(text_or(*fields, "file", "") == "a.yaml");
  CHECK(int_or(*fields, "line", 0) == 3);
}

TEST_CASE("log: level names are read back and others refused") {
  CHECK(parse_level("debug") == Level::debug);
  CHECK(parse_level("error") == Level::error);
  CHECK_FALSE(parse_level("loud").has_value());
}

}  // namespace
}  // namespace aios::observe
