// SPDX-License-Identifier: Apache-2.0
#include "ingress/cron.h"

#include "core/text.h"

#include <date/tz.h>
#include <fmt/format.h>

#include <array>
#include <charconv>
#include <exception>
#include <string>
#include <vector>

namespace aios::ingress {
namespace {

constexpr int years_looked_at = 8;  // a 29 February is at most that far away

struct Field {
  const char* name;
  unsigned from;
  unsigned to;
  std::vector<std::string> names;  ///< of the values from `names_from` on
  unsigned names_from;
};

Error bad(const Field& field, std::string_view found) {
  return Error(
      Code::invalid_argument,
      fmt::format("the {} is '{}', wanted '*', or numbers from {} to {} with ranges, lists "
                  "and steps",
                  field.name, excerpt(found, 40), field.from, field.to));
}

std::optional<unsigned> number_in(const Field& field, std::string_view text) {
  for (std::size_t i = 0; i < field.names.size(); ++i) {
    if (ascii_lower(text) == field.names[i]) {
      return field.names_from + static_cast<unsigned>(i);
    }
  }
  unsigned value = 0;
  const auto* end = text.data() + text.size();
  const auto [rest, failed] = std::from_chars(text.data(), end, value);
  const bool good = !text.empty() && rest == end && failed == std::errc() && text.size() <= 4;
  return good ? std::optional(value) : std::nullopt;
}

/// One part of a list: "*", "5", "1-5", each perhaps with "/2".
template <std::size_t Size>
bool add_part(const Field& field, std::string_view part, std::bitset<Size>* out) {
  unsigned step = 1;
  const auto slash = part.find('/');
  const auto body = part.substr(0, slash);
  if (slash != std::string_view::npos) {
    const Field plain{"", 1, 9999, {}, 0};
    const auto given = number_in(plain, part.substr(slash + 1));
    if (!given || *given == 0) {
      return false;
    }
    step = *given;
  }
  std::optional<unsigned> from = field.from;
  std::optional<unsigned> to = field.to;
  if (body != "*") {
    const auto dash = body.find('-');
    from = number_in(field, body.substr(0, dash));
    to = dash == std::string_view::npos ? from : number_in(field, body.substr(dash + 1));
    if (dash == std::string_view::npos && slash != std::string_view::npos) {
      to = field.to;  // "5/15": from 5 on
    }
  }
  if (!from || !to || *from < field.from || *to > field.to || *from > *to) {
    return false;
  }
  for (unsigned value = *from; value <= *to; value += step) {
    out->set(Size == 7 ? value % 7 : value);  // 7 is Sunday too
  }
  return true;
}

template <std::size_t Size>
Result<void> read_field(const Field& field, std::string_view text, std::bitset<Size>* out) {
  for (const auto part : split(text, ',')) {
    if (!add_part(field, part, out)) {
      return bad(field, text);
    }
  }
  return {};
}

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  while (!(text = trim(text)).empty()) {
    const auto end = text.find_first_of(" \t");
    words.push_back(text.substr(0, end));
    text = end == std::string_view::npos ? "" : text.substr(end);
  }
  return words;
}

using LocalMinutes = date::local_time<std::chrono::minutes>;

Time time_of(date::sys_seconds at) {
  return Time{std::chrono::nanoseconds(at.time_since_epoch()).count()};
}

/// The first time after `after` at which a clock of the zone shows `local`.
/// @param follows  the clock, whatever it does: what it skips is skipped, what it shows twice comes
///                 twice. Else a skipped time comes when the skip ends, and one of two the first
///                 time only.
std::optional<Time> shown_after(Time after, LocalMinutes local, const date::time_zone& zone,
                                bool follows) {
  const auto found = zone.get_info(date::local_time<std::chrono::seconds>(local));
  const auto with = [&](std::chrono::seconds offset) {
    return time_of(date::sys_seconds(local.time_since_epoch() - offset));
  };
  const auto later = [&](Time at) { return at > after ? std::optional(at) : std::nullopt; };
  if (found.result == date::local_info::nonexistent) {
    return follows ? std::nullopt : later(time_of(found.second.begin));
  }
  const auto first = later(with(found.first.offset));
  if (first || !follows || found.result == date::local_info::unique) {
    return first;
  }
  return later(with(found.second.offset));
}

}  // namespace

Result<Zone> Zone::find(std::string_view name) {
  // Debian keeps files beside the zones that are whatever this machine has.
  if (name == "localtime" || name == "posixrules") {
    return Error(Code::invalid_argument,
                 fmt::format("'{}' is another time zone on each machine, wanted one by its name, "
                             "such as Europe/Berlin",
                             name));
  }
  try {
    Zone zone;
    zone.zone_ = date::locate_zone(std::string(name));
    return zone;
  } catch (const std::exception&) {
    return Error(Code::invalid_argument,
                 fmt::format("there is no time zone '{}' here; they are called like Europe/Berlin",
                             excerpt(name, 60)));
  }
}

Result<Cron> Cron::parse(std::string_view text) {
  const std::vector<std::string> months = {"jan", "feb", "mar", "apr", "may", "jun",
                                           "jul", "aug", "sep", "oct", "nov", "dec"};
  const std::vector<std::string> days = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
  const auto words = words_of(text.substr(0, text_bytes_max + 1));
  if (words.size() != 5 || text.size() > text_bytes_max) {
    return Error(Code::invalid_argument,
                 fmt::format("a cron expression has {} fields, wanted 5: minute, hour, day of the "
                             "month, month, day of the week",
                             words.size()));
  }
  Cron cron;
  const std::array<Result<void>, 5> read = {
      read_field({"minute", 0, 59, {}, 0}, words[0], &cron.minutes_),
      read_field({"hour", 0, 23, {}, 0}, words[1], &cron.hours_),
      read_field({"day of the month", 1, 31, {}, 0}, words[2], &cron.days_),
      read_field({"month", 1, 12, months, 1}, words[3], &cron.months_),
      read_field({"day of the week", 0, 7, days, 0}, words[4], &cron.weekdays_)};
  for (const auto& one : read) {
    if (!one.ok()) {
      return one.error();
    }
  }
  cron.follows_clock_ = words[0].starts_with('*') || words[1].starts_with('*');
  cron.any_day_ = words[2].starts_with('*');
  cron.any_weekday_ = words[4].starts_with('*');
  auto utc = Zone::find("Etc/UTC");
  if (utc.ok() && !cron.next(Time{0}, *utc)) {
    return Error(Code::invalid_argument, "the cron expression never fires: there is no such day");
  }
  return cron;
}

bool Cron::day_fits(int year, unsigned month, unsigned day) const {
  const date::year_month_day at{date::year(year), date::month(month), date::day(day)};
  const bool by_day = days_.test(day);
  const bool by_weekday = weekdays_.test(date::weekday(date::sys_days(at)).c_encoding());
  if (any_day_ || any_weekday_) {
    return by_day && by_weekday;
  }
  return by_day || by_weekday;
}

std::optional<Time> Cron::next(Time after, const Zone& zone) const {
  const auto& tz = *static_cast<const date::time_zone*>(zone.zone_);
  const auto since = std::chrono::floor<std::chrono::seconds>(std::chrono::nanoseconds(after.ns));
  const auto local = tz.to_local(date::sys_seconds(since));
  // Clocks that are set back show times again: begin a day early, for what is shown first counts.
  const auto first = date::floor<date::days>(local) - date::days(1);
  for (int ahead = 0; ahead < years_looked_at * 366; ++ahead) {
    const auto day = first + date::days(ahead);
    const date::year_month_day at(day);
    if (!months_.test(static_cast<unsigned>(at.month())) ||
        !day_fits(static_cast<int>(at.year()), static_cast<unsigned>(at.month()),
                  static_cast<unsigned>(at.day()))) {
      continue;
    }
    std::optional<Time> earliest;  // what is shown twice is not in order
    for (unsigned minute = 0; minute < 24 * 60; ++minute) {
      if (!hours_.test(minute / 60) || !minutes_.test(minute % 60)) {
        continue;
      }
      const auto shown =
          shown_after(after, LocalMinutes(day) + std::chrono::minutes(minute), tz, follows_clock_);
      if (shown && (!earliest || *shown < *earliest)) {
        earliest = shown;
      }
    }
    if (earliest) {
      return earliest;
    }
  }
  return std::nullopt;
}

}  // namespace aios::ingress
