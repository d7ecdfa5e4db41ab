// SPDX-License-Identifier: Apache-2.0
#pragma once
// ingress/cron: when a cron expression of five fields fires: minute, hour, day of the month, month,
// day of the week. `*`, numbers, ranges, lists and steps; names of months and days; 0 and 7 are
// Sunday. Where both day fields are restricted, a day that fits either fires (as crontab has it).
// The parser is our own: Debian has no cron library for C++, and the five fields are one page. Time
// zones are not: those are the tz library's.
// Threading: immutable, any.

#include "core/result.h"
#include "core/time.h"

#include <bitset>
#include <memory>
#include <optional>
#include <string_view>

namespace aios::ingress {

/// A time zone of the IANA database on this machine.
class Zone {
 public:
  /// @return invalid_argument: there is no such zone here.
  static Result<Zone> find(std::string_view name);

 private:
  friend class Cron;
  const void* zone_ = nullptr;
};

class Cron {
 public:
  static constexpr std::size_t text_bytes_max = 200;
  /// @return invalid_argument naming the field, what was found and wanted; also for an expression
  ///         that never fires (30 February).
  static Result<Cron> parse(std::string_view text);
  /// The first time after `after`, by the clocks of the zone. Clocks are set: with '*' in minutes
  /// or hours the expression follows the clock, so an hour that is skipped has no firing and one
  /// that comes twice has its firings twice. A fixed time fires once a day: in a skipped hour when
  /// the skip ends, in an hour that comes twice the first time. (Debian's cron has these rules.)
  /// Nothing: not within eight years.
  std::optional<Time> next(Time after, const Zone& zone) const;

 private:
  bool day_fits(int year, unsigned month, unsigned day) const;

  std::bitset<60> minutes_;
  std::bitset<24> hours_;
  std::bitset<32> days_;
  std::bitset<13> months_;
  std::bitset<7> weekdays_;
  bool follows_clock_ = false;
  bool any_day_ = false;
  bool any_weekday_ = false;
};

}  // namespace aios::ingress
