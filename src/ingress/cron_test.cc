// SPDX-License-Identifier: Apache-2.0
#include "ingress/cron.h"

#include "core/json.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

namespace aios::ingress {
namespace {

Json pack() {
  const char* folder = std::getenv("AIOS_CONFORMANCE_DIR");
  std::ifstream file(fmt::format("{}/http/cron.json", folder == nullptr ? "" : folder));
  if (!file) {
    MESSAGE("SKIPPED: http/cron.json is not in $AIOS_CONFORMANCE_DIR");
    return nullptr;
  }
  std::stringstream text;
  text << file.rdbuf();
  return parse_json(text.str()).value();
}

void check_case(const Json& one, std::string_view zone_name) {
  CAPTURE(to_text(one));
  const auto cron = Cron::parse(text_or(one, "expression", ""));
  REQUIRE(cron.ok());
  const auto zone = Zone::find(zone_name);
  REQUIRE(zone.ok());
  Time at = parse_rfc3339(text_or(one, "after", "")).value();
  for (const Json& wanted : one.at("next").as_array()) {
    const auto next = cron->next(at, *zone);
    REQUIRE(next.has_value());
    CHECK(to_rfc3339(*next) == std::string(wanted.as_string()));
    at = *next;
  }
}

TEST_CASE("cron: the vectors in UTC, those that are none, and those that never fire") {
  const Json vectors = pack();
  if (vectors.is_null()) {
    return;
  }
  for (const Json& one : vectors.at("next").as_array()) {
    check_case(one, "Etc/UTC");
  }
  CHECK(vectors.at("next").as_array().size() == 135);
  int refused = 0;
  for (const Json& text : vectors.at("invalid").as_array()) {
    CAPTURE(to_text(text));
    CHECK_FALSE(Cron::parse(view(text.as_string())).ok());
    ++refused;
  }
  CHECK(refused >= 30);
  for (const Json& one : vectors.at("impossible").as_array()) {
    CHECK_FALSE(Cron::parse(text_or(one, "expression", "")).ok());
  }
}

TEST_CASE("cron: the vectors of zones whose clocks are set") {
  const Json vectors = pack();
  if (vectors.is_null()) {
    return;
  }
  for (const Json& one : vectors.at("zones").as_array()) {
    check_case(one, text_or(one, "zone", ""));
  }
  CHECK(vectors.at("zones").as_array().size() >= 30);
}

TEST_CASE("cron: a fixed time in a skipped hour fires when it ends, in a doubled one once") {
  const auto berlin = Zone::find("Europe/Berlin").value();
  const auto fixed = Cron::parse("30 2 * * *").value();
  const auto next = [&](const Cron& cron, const char* after) {
    return to_rfc3339(cron.next(parse_rfc3339(after).value(), berlin).value());
  };
  CHECK(next(fixed, "2026-03-28T12:00:00Z") == "2026-03-29T01:00:00Z");
  CHECK(next(fixed, "2026-10-25T00:30:00Z") == "2026-10-26T01:30:00Z");
  const auto follows = Cron::parse("*/30 * * * *").value();
  CHECK(next(follows, "2026-10-25T00:30:00Z") == "2026-10-25T01:00:00Z");
}

TEST_CASE("cron: what is wrong is named, and no zone is made up") {
  CHECK(Cron::parse("0 9 * * MON-FRY").error().message().find("day of the week is 'MON-FRY'") !=
        std::string::npos);
  CHECK(Cron::parse("0 9 * *").error().message().find("4 fields") != std::string::npos);
  CHECK_FALSE(Cron::parse(std::string(1000, '*')).ok());
  CHECK_FALSE(Zone::find("Europe/Atlantis").ok());
  CHECK_FALSE(Zone::find("../etc/passwd").ok());
  CHECK_FALSE(Zone::find("localtime").ok());
  CHECK_FALSE(Zone::find("").ok());
}

}  // namespace
}  // namespace aios::ingress
