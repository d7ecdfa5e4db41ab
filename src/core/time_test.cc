// SPDX-License-Identifier: Apache-2.0
#include "core/time.h"

#include "core/json.h"
#include "core/test/conformance.h"

#include <doctest/doctest.h>

namespace aios {
namespace {

using std::chrono::milliseconds;

bool in_range(std::int64_t seconds) { return seconds > -9'223'372'036 && seconds < 9'223'372'036; }

TEST_CASE("time: text of a time has as few digits as needed") {
  CHECK(to_rfc3339({0}) == "1970-01-01T00:00:00Z");
  CHECK(to_rfc3339({1'500'000'000}) == "1970-01-01T00:00:01.500Z");
  CHECK(to_rfc3339({1'000}) == "1970-01-01T00:00:00.000001Z");
  CHECK(to_rfc3339({1}) == "1970-01-01T00:00:00.000000001Z");
  CHECK(to_rfc3339({-500'000'000}) == "1969-12-31T23:59:59.500Z");
}

TEST_CASE("time: a leap second counts as the last moment of its minute") {
  CHECK(parse_rfc3339("1990-12-31T23:59:60Z")->ns == 662'687'999'999'999'999);
  CHECK(parse_rfc3339("1990-12-31T15:59:60-08:00")->ns == 662'687'999'999'999'999);
}

TEST_CASE("time: a blank instead of T and a year beyond the range are refused") {
  CHECK(!parse_rfc3339("2026-11-21 10:00:00Z").ok());
  CHECK(parse_rfc3339("9999-12-31T23:59:59Z").error().message() ==
        "the time '9999-12-31T23:59:59Z' is outside the years 1678 to 2261");
}

TEST_CASE("time: HTTP dates") {
  CHECK(to_http_date(*parse_rfc3339("1994-11-06T08:49:37Z")) == "Sun, 06 Nov 1994 08:49:37 GMT");
}

TEST_CASE("time: durations print in their shortest form") {
  for (const char* text : {"PT0S", "PT1.5S", "P1DT2H", "P3D", "PT1M0.001S", "PT59M"}) {
    CHECK(to_iso_duration(*parse_iso_duration(text)) == text);
  }
  CHECK(to_short_duration(std::chrono::microseconds(350)) == "350us");
  CHECK(to_short_duration(milliseconds(12)) == "12ms");
  CHECK(to_short_duration(milliseconds(3400)) == "3.4s");
  CHECK(to_short_duration(std::chrono::seconds(130)) == "2m10s");
  CHECK(to_short_duration(std::chrono::hours(5)) == "5h");
  CHECK(to_short_duration(std::chrono::hours(72)) == "3d");
}

TEST_CASE("time: a duration without a fixed length, with a sign or out of range is refused") {
  for (const char* text : {"P1Y", "P1M", "-PT5S", "PT99999999999999999999S", "PT0,5S", "P300Y"}) {
    CHECK_MESSAGE(!parse_iso_duration(text).ok(), text);
  }
}

TEST_CASE("time: conformance, RFC 3339") {
  const std::string text = test::read_bytes(test::conformance_path("http/rfc3339.json"));
  if (text.empty()) {
    MESSAGE("SKIPPED: http/rfc3339.json is absent");
    return;
  }
  const Json pack = *parse_json(text);
  int cases = 0;
  for (const Json& item : find(pack, "valid")->get_array()) {
    const std::string_view written = text_or(item, "text", "");
    const std::int64_t seconds = int_or(item, "epoch_seconds", -1);
    const auto time = parse_rfc3339(written);
    ++cases;
    CHECK_MESSAGE(time.ok() == in_range(seconds), written);
    CHECK((!time.ok() || time->ns == seconds * 1'000'000'000 + int_or(item, "nanos", -1)));
  }
  for (const Json& item : find(pack, "invalid")->get_array()) {
    ++cases;
    CHECK_MESSAGE(!parse_rfc3339(view(item.get_string())).ok(), view(item.get_string()));
  }
  CHECK(cases == 19 + 31);
}

TEST_CASE("time: conformance, durations") {
  const std::string text = test::read_bytes(test::conformance_path("http/durations.json"));
  if (text.empty()) {
    MESSAGE("SKIPPED: http/durations.json is absent");
    return;
  }
  const Json pack = *parse_json(text);
  int cases = 0;
  for (const Json& item : find(pack, "valid")->get_array()) {
    const auto duration = parse_iso_duration(text_or(item, "text", ""));
    const std::int64_t total_ms = int_or(item, "total_ms", -1);
    // beyond 292 years: an error, never a wrapped number
    const bool wanted = total_ms >= 0 && total_ms < INT64_MAX / 1'000'000;
    ++cases;
    CHECK_MESSAGE(duration.ok() == wanted, text_or(item, "text", ""));
    CHECK((!duration.ok() || *duration == milliseconds(total_ms)));
  }
  for (const Json& item : find(pack, "invalid")->get_array()) {
    ++cases;
    CHECK_MESSAGE(!parse_iso_duration(view(item.get_string())).ok(), view(item.get_string()));
  }
  CHECK(cases == 27 + 28);
}

}  // namespace
}  // namespace aios
