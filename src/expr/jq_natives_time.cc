// SPDX-License-Identifier: Apache-2.0
// Times, always in UTC; "now" is the caller's.
#include "expr/detail/jq_machine.h"
#include "expr/detail/jq_natives.h"
#include "expr/detail/jq_print.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <ctime>

namespace aios::expr::detail {
namespace {

/// Days since 1970-01-01 of a date in the Gregorian calendar; month from 1.
std::int64_t days_of(std::int64_t year, int month, int day) {
  year -= month <= 2 ? 1 : 0;
  auto era = (year >= 0 ? year : year - 399) / 400;
  auto of_era = year - era * 400;
  auto of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

std::int64_t seconds_of(const std::tm& time) {
  auto days = days_of(std::int64_t{time.tm_year} + 1900, time.tm_mon + 1, time.tm_mday);
  return days * 86400 + time.tm_hour * 3600 + time.tm_min * 60 + time.tm_sec;
}

/// Fills in what follows from the date.
void complete(std::tm* time) {
  auto days = days_of(std::int64_t{time->tm_year} + 1900, time->tm_mon + 1, time->tm_mday);
  time->tm_wday = static_cast<int>(((days + 4) % 7 + 7) % 7);
  time->tm_yday = static_cast<int>(days - days_of(std::int64_t{time->tm_year} + 1900, 1, 1));
  time->tm_isdst = 0;
}

std::tm broken_down(std::int64_t seconds) {
  auto days = seconds / 86400 - (seconds % 86400 < 0 ? 1 : 0);
  auto rest = static_cast<int>(seconds - days * 86400);
  auto shifted = days + 719468;
  auto era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
  auto of_era = shifted - era * 146097;
  auto year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
  auto of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  auto shifted_month = (5 * of_year + 2) / 153;
  std::tm time{};
  time.tm_mday = static_cast<int>(of_year - (153 * shifted_month + 2) / 5 + 1);
  time.tm_mon = static_cast<int>(shifted_month < 10 ? shifted_month + 2 : shifted_month - 10);
  time.tm_year = static_cast<int>(year_of_era + era * 400 + (time.tm_mon <= 1 ? 1 : 0) - 1900);
  time.tm_hour = rest / 3600;
  time.tm_min = rest / 60 % 60;
  time.tm_sec = rest % 60;
  complete(&time);
  return time;
}

/// [year, month from 0, day, hours, minutes, seconds, weekday, day of the year]
Value array_of(Machine& machine, const std::tm& time, double seconds) {
  auto array = Value::array(machine.budget());
  for (double part :
       {time.tm_year + 1900.0, double(time.tm_mon), double(time.tm_mday), double(time.tm_hour),
        double(time.tm_min), seconds, double(time.tm_wday), double(time.tm_yday)}) {
    array.push(machine.budget(), Value::number(part));
  }
  return array;
}

bool read_array(const Value& array, std::tm* time) {
  *time = std::tm{};
  time->tm_mday = 1;
  int* parts[] = {&time->tm_year, &time->tm_mon, &time->tm_mday, &time->tm_hour,
                  &time->tm_min,  &time->tm_sec, &time->tm_wday, &time->tm_yday};
  if (array.size() == 0) {
    return false;
  }
  for (std::size_t i = 0; i < array.size() && i < std::size(parts); ++i) {
    auto part = array.at(i);
    if (!part.is_number() || !(std::fabs(part.as_number()) < 1e9)) {
      return false;
    }
    *parts[i] = static_cast<int>(part.as_number());
  }
  time->tm_year -= 1900;
  if (time->tm_mon < 0 || time->tm_mon > 11) {
    return false;
  }
  complete(time);
  return true;
}

bool in_range(double seconds) { return std::fabs(seconds) < 1e13; }

bool to_gm_time(Machine& machine, Value* input, std::string_view name) {
  if (!input->is_number()) {
    return machine.raise(fmt::format("{} requires a number", name));
  }
  auto seconds = input->as_number();
  if (!in_range(seconds)) {
    return machine.raise(fmt::format("error converting number of seconds since epoch to datetime"));
  }
  auto whole = std::floor(seconds);
  auto time = broken_down(static_cast<std::int64_t>(whole));
  *input = array_of(machine, time, time.tm_sec + (seconds - whole));
  return true;
}

bool gm_time(Machine& machine, Value* input, Value*) {
  return to_gm_time(machine, input, "gmtime()");
}
bool local_time(Machine& machine, Value* input, Value*) {
  return to_gm_time(machine, input, "localtime()");
}

bool make_time(Machine& machine, Value* input, Value*) {
  std::tm time{};
  if (!input->is_array()) {
    return machine.raise("mktime requires array of 6 numbers");
  }
  if (!read_array(*input, &time)) {
    return machine.raise("mktime requires parsed datetime inputs");
  }
  *input = Value::number(static_cast<double>(seconds_of(time)));
  return true;
}

bool print_time(Machine& machine, Value* input, const Value& format, std::string_view name) {
  std::tm time{};
  if (input->is_number()) {
    if (!in_range(input->as_number())) {
      return machine.raise("error converting number of seconds since epoch to datetime");
    }
    time = broken_down(static_cast<std::int64_t>(std::floor(input->as_number())));
  } else if (!input->is_array() || !read_array(*input, &time)) {
    return machine.raise(fmt::format("{} requires parsed datetime inputs", name));
  }
  if (!format.is_string()) {
    return machine.raise(fmt::format("{} requires a string format", name));
  }
  std::string pattern(format.text());
  if (pattern.empty()) {
    *input = machine.text("");
    return true;
  }
  std::string zone = "UTC";
  time.tm_zone = zone.data();
  pattern += '|';  // so that an empty result differs from a buffer that is too small
  constexpr std::size_t bytes_max = 64 << 10;
  std::string text;
  for (std::size_t bytes = 256; bytes <= bytes_max; bytes *= 4) {
    text.resize(bytes);
    auto written = std::strftime(text.data(), text.size(), pattern.c_str(), &time);
    if (written > 0) {
      text.resize(written - 1);
      *input = machine.text(repaired_utf8(text));
      return true;
    }
  }
  return machine.raise(fmt::format("{}: the result is too long", name));
}

bool format_time(Machine& machine, Value* input, Value* arguments) {
  return print_time(machine, input, arguments[0], "strftime/1");
}
bool format_local_time(Machine& machine, Value* input, Value* arguments) {
  return print_time(machine, input, arguments[0], "strflocaltime/1");
}

bool parse_time(Machine& machine, Value* input, Value* arguments) {
  if (!input->is_string() || !arguments[0].is_string()) {
    return machine.raise(fmt::format("strptime/1 requires string inputs and arguments"));
  }
  std::string text(input->text());
  std::string format(arguments[0].text());
  std::tm time{};
  time.tm_wday = 8;
  time.tm_yday = 367;
  const char* end = ::strptime(text.c_str(), format.c_str(), &time);
  if (end == nullptr || end != text.c_str() + text.size()) {
    return machine.raise(fmt::format("date \"{}\" does not match format \"{}\"", text, format));
  }
  complete(&time);
  *input = array_of(machine, time, time.tm_sec);
  return true;
}

bool now(Machine& machine, Value* input, Value*) {
  *input = Value::number(static_cast<double>(machine.options().now.ns) / 1e9);
  return true;
}

constexpr std::array table = {
    Native{"gmtime", 0, gm_time},
    Native{"localtime", 0, local_time},
    Native{"mktime", 0, make_time},
    Native{"strftime", 1, format_time},
    Native{"strptime", 1, parse_time},
    Native{"strflocaltime", 1, format_local_time},
    Native{"now", 0, now},
};

}  // namespace

std::span<const Native> time_natives() { return table; }

}  // namespace aios::expr::detail
