// SPDX-License-Identifier: Apache-2.0
// Durations as text: ISO 8601 for documents, a short form for people.
#include "core/text.h"
#include "core/time.h"

#include <fmt/format.h>

#include <array>

namespace aios {
namespace {

__extension__ using Wide = __int128;
constexpr std::int64_t second_ns = 1'000'000'000;
constexpr std::int64_t minute_ns = 60 * second_ns;
constexpr std::int64_t hour_ns = 60 * minute_ns;
constexpr std::int64_t day_ns = 24 * hour_ns;

struct Unit {
  char letter;
  bool time_part;
  std::int64_t ns;  ///< 0: has no fixed length
};
constexpr std::array<Unit, 7> units = {{{'Y', false, 0},
                                        {'M', false, 0},
                                        {'W', false, 7 * day_ns},
                                        {'D', false, day_ns},
                                        {'H', true, hour_ns},
                                        {'M', true, minute_ns},
                                        {'S', true, second_ns}}};

struct Part {
  std::string_view whole;
  std::string_view fraction;
  char letter = '\0';
};

std::string_view take_digits(std::string_view* text) {
  std::size_t count = 0;
  while (count < text->size() && (*text)[count] >= '0' && (*text)[count] <= '9') {
    ++count;
  }
  const std::string_view digits = text->substr(0, count);
  text->remove_prefix(count);
  return digits;
}

/// "12", "12.5" and the letter behind; the letter is 0 when the text does not go on so.
Part take_part(std::string_view* text) {
  Part part;
  part.whole = take_digits(text);
  bool good = !part.whole.empty();
  if (good && text->starts_with('.')) {
    text->remove_prefix(1);
    part.fraction = take_digits(text);
    good = !part.fraction.empty();
  }
  if (good && !text->empty()) {
    part.letter = text->front();
    text->remove_prefix(1);
  }
  return part;
}

bool add_part(const Part& part, std::int64_t unit_ns, std::int64_t* total) {
  Wide sum = 0;
  for (const char c : part.whole) {
    sum = sum * 10 + (c - '0');
    if (sum > INT64_MAX) {
      return false;
    }
  }
  sum *= unit_ns;
  Wide digits = 0;
  Wide scale = 1;
  for (const char c : part.fraction.substr(0, 18)) {  // further digits are below a nanosecond
    digits = digits * 10 + (c - '0');
    scale *= 10;
  }
  sum += digits * unit_ns / scale;
  sum += *total;
  if (sum > INT64_MAX) {
    return false;
  }
  *total = static_cast<std::int64_t>(sum);
  return true;
}

Error wrong(std::string_view text, std::string_view why) {
  return Error(Code::invalid_argument,
               fmt::format("'{}' is not a duration such as PT1H30M (ISO 8601): {}",
                           excerpt(text, 40), why))
      .page(5);
}

std::size_t find_unit(char letter, bool time_part, std::size_t from) {
  while (from < units.size() &&
         (units[from].letter != letter || units[from].time_part != time_part)) {
    ++from;
  }
  return from;
}

}  // namespace

Result<Duration> parse_iso_duration(std::string_view text) {
  std::string_view rest = text;
  if (!rest.starts_with('P') || rest.size() < 2) {
    return wrong(text, "it begins with P and has at least one part");
  }
  rest.remove_prefix(1);
  bool time_part = false;
  std::size_t next_unit = 0;
  std::int64_t total = 0;
  while (!rest.empty()) {
    if (rest.front() == 'T' && !time_part) {
      time_part = true;
      rest.remove_prefix(1);
    }
    const Part part = take_part(&rest);
    const std::size_t unit = find_unit(part.letter, time_part, next_unit);
    if (part.letter == '\0' || unit == units.size()) {
      return wrong(text, "parts are a number and a letter, in the order W D T H M S, each once");
    }
    const bool zero = part.whole.find_first_not_of('0') == std::string_view::npos &&
                      part.fraction.find_first_not_of('0') == std::string_view::npos;
    if (units[unit].ns == 0 && !zero) {
      return wrong(text, "years and months have no fixed length, write days");
    }
    if (!add_part(part, units[unit].ns, &total)) {
      return wrong(text, "it is longer than 292 years");
    }
    next_unit = unit + 1;
  }
  return Duration(total);
}

std::string to_iso_duration(Duration duration) {
  std::int64_t ns = duration.count();
  if (ns <= 0) {
    return "PT0S";  // waits are never negative
  }
  std::string out = "P";
  if (ns >= day_ns) {
    out += fmt::format("{}D", ns / day_ns);
    ns %= day_ns;
  }
  if (ns == 0) {
    return out;
  }
  out += "T";
  if (ns >= hour_ns) {
    out += fmt::format("{}H", ns / hour_ns);
    ns %= hour_ns;
  }
  if (ns >= minute_ns) {
    out += fmt::format("{}M", ns / minute_ns);
    ns %= minute_ns;
  }
  if (ns > 0) {
    std::string fraction = fmt::format(".{:09}", ns % second_ns);
    fraction.erase(fraction.find_last_not_of('0') + 1);
    out += fmt::format("{}{}S", ns / second_ns, fraction == "." ? "" : fraction);
  }
  return out;
}

std::string to_short_duration(Duration duration) {
  const std::int64_t ns = duration.count();
  if (ns < 0) {
    return "-" + to_short_duration(Duration(ns == INT64_MIN ? INT64_MAX : -ns));
  }
  if (ns < 1'000'000) {
    return fmt::format("{}us", ns / 1000);
  }
  if (ns < second_ns) {
    return fmt::format("{}ms", ns / 1'000'000);
  }
  if (ns < minute_ns) {
    const std::int64_t tenths = ns / (second_ns / 10);
    return tenths % 10 == 0 ? fmt::format("{}s", tenths / 10)
                            : fmt::format("{}.{}s", tenths / 10, tenths % 10);
  }
  const auto two = [ns](std::int64_t big, char big_name, std::int64_t small, char small_name) {
    const std::int64_t rest = ns % big / small;
    return rest == 0 ? fmt::format("{}{}", ns / big, big_name)
                     : fmt::format("{}{}{}{}", ns / big, big_name, rest, small_name);
  };
  if (ns < hour_ns) {
    return two(minute_ns, 'm', second_ns, 's');
  }
  return ns < day_ns ? two(hour_ns, 'h', minute_ns, 'm') : two(day_ns, 'd', hour_ns, 'h');
}

}  // namespace aios
