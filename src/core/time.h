// SPDX-License-Identifier: Apache-2.0
#pragma once
// core/time: wall time, monotonic time, and their text forms (RFC 3339, ISO 8601 durations, HTTP
// dates).

#include "core/result.h"

#include <chrono>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace aios {

using Duration = std::chrono::nanoseconds;

/// Wall clock, UTC, nanoseconds since 1970. Stored and shown; never used to measure a wait.
struct Time {
  std::int64_t ns = 0;
  auto operator<=>(const Time&) const = default;
};
inline Time operator+(Time t, Duration d) { return {t.ns + d.count()}; }
inline Time operator-(Time t, Duration d) { return {t.ns - d.count()}; }
inline Duration operator-(Time a, Time b) { return Duration(a.ns - b.ns); }

/// Monotonic clock of this process, nanoseconds. Measures waits; never stored.
struct Instant {
  std::int64_t ns = 0;
  auto operator<=>(const Instant&) const = default;
  static constexpr Instant never() { return {INT64_MAX}; }
};
inline Instant operator+(Instant t, Duration d) {
  return d.count() > 0 && t.ns > INT64_MAX - d.count() ? Instant::never()
                                                       : Instant{t.ns + d.count()};
}
inline Duration operator-(Instant a, Instant b) { return Duration(a.ns - b.ns); }

/// "2026-11-21T08:00:00.123456Z"; fractions are printed with 0, 3, 6 or 9 digits, as few as needed.
std::string to_rfc3339(Time time);
/// Takes what RFC 3339 section 5.6 allows, leap second 60 included (counted as 59.999999999).
Result<Time> parse_rfc3339(std::string_view text);

/// ISO 8601 duration: "P3DT4H5M6.5S", "PT0.25S", weeks "P2W"; a day is 24 h. Years and months are
/// refused: they have no fixed length.
Result<Duration> parse_iso_duration(std::string_view text);
/// Shortest ISO 8601 form, e.g. "PT1.5S", "P1DT2H", "PT0S".
std::string to_iso_duration(Duration duration);
/// For people: "350us", "12ms", "3.4s", "2m10s", "5h", "3d".
std::string to_short_duration(Duration duration);
/// "Sat, 21 Nov 2026 08:00:00 GMT" (RFC 9110 section 5.6.7).
std::string to_http_date(Time time);

}  // namespace aios
