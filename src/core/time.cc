// SPDX-License-Identifier: Apache-2.0
#include "core/time.h"

#include "core/text.h"

#include <fmt/format.h>

#include <array>

namespace aios {
namespace {

constexpr std::int64_t ns_per_second = 1'000'000'000;

struct Civil {
  std::chrono::year_month_day date;
  std::chrono::hh_mm_ss<std::chrono::nanoseconds> clock;
  std::chrono::weekday weekday;
};

Civil civil_of(Time time) {
  const std::chrono::sys_time<std::chrono::nanoseconds> at{std::chrono::nanoseconds(time.ns)};
  const auto day = std::chrono::floor<std::chrono::days>(at);
  return {std::chrono::year_month_day(day),
          std::chrono::hh_mm_ss<std::chrono::nanoseconds>(at - day), std::chrono::weekday(day)};
}

/// Walks over a text of fixed form; after the first thing that does not fit, good() is false.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}
  int number(std::size_t digits, int low, int high) {
    int value = 0;
    for (std::size_t i = 0; i < digits; ++i) {
      value = value * 10 + digit();
    }
    good_ = good_ && value >= low && value <= high;
    return value;
  }
  char one_of(std::string_view choices) {
    const char c = text_.empty() ? '\0' : text_.front();
    good_ = good_ && c != '\0' && choices.find(c) != std::string_view::npos;
    if (good_) {
      text_.remove_prefix(1);
    }
    return c;
  }
  bool at(char c) const { return !text_.empty() && text_.front() == c; }
  bool at_digit() const { return !text_.empty() && text_.front() >= '0' && text_.front() <= '9'; }
  bool good() const { return good_; }
  bool good_end() const { return good_ && text_.empty(); }
  /// Digits of a fraction as nanoseconds; further ones are cut.
  std::int64_t fraction() {
    std::int64_t value = 0;
    std::int64_t unit = ns_per_second / 10;
    good_ = good_ && at_digit();
    while (good_ && at_digit()) {
      value += digit() * unit;
      unit /= 10;
    }
    return value;
  }

 private:
  int digit() {
    if (!good_ || !at_digit()) {
      good_ = false;
      return 0;
    }
    const int value = text_.front() - '0';
    text_.remove_prefix(1);
    return value;
  }
  std::string_view text_;
  bool good_ = true;
};

Error not_a_time(std::string_view text) {
  return Error(Code::invalid_argument,
               fmt::format("'{}' is not a time such as 2026-11-21T08:00:00Z (RFC 3339)",
                           excerpt(text, 40)))
      .page(4);
}

/// In decimal, with zeros before it, over the zeros that stand there.
void put_digits(std::string* text, std::size_t from, std::size_t count, std::int64_t value) {
  for (std::size_t at = from + count; at-- > from; value /= 10) {
    (*text)[at] = static_cast<char>('0' + value % 10);
  }
}

}  // namespace

std::string to_rfc3339(Time time) {
  const Civil civil = civil_of(time);
  const std::int64_t ns = civil.clock.subseconds().count();
  std::string text = "0000-00-00T00:00:00.000000000";
  put_digits(&text, 0, 4, static_cast<int>(civil.date.year()));
  put_digits(&text, 5, 2, static_cast<unsigned>(civil.date.month()));
  put_digits(&text, 8, 2, static_cast<unsigned>(civil.date.day()));
  put_digits(&text, 11, 2, civil.clock.hours().count());
  put_digits(&text, 14, 2, civil.clock.minutes().count());
  put_digits(&text, 17, 2, civil.clock.seconds().count());
  put_digits(&text, 20, 9, ns);
  text.resize(ns == 0 ? 19 : ns % 1'000'000 == 0 ? 23 : ns % 1'000 == 0 ? 26 : 29);
  text.push_back('Z');
  return text;
}

Result<Time> parse_rfc3339(std::string_view text) {
  Scanner in(text);
  const int year = in.number(4, 0, 9999);
  in.one_of("-");
  const int month = in.number(2, 1, 12);
  in.one_of("-");
  const int day = in.number(2, 1, 31);
  in.one_of("Tt");
  const int hour = in.number(2, 0, 23);
  in.one_of(":");
  const int minute = in.number(2, 0, 59);
  in.one_of(":");
  int second = in.number(2, 0, 60);
  std::int64_t ns = 0;
  if (in.at('.')) {
    in.one_of(".");
    ns = in.fraction();
  }
  const char zone = in.one_of("Zz+-");
  int offset = 0;
  if (zone == '+' || zone == '-') {
    offset = in.number(2, 0, 23) * 60;
    in.one_of(":");
    offset += in.number(2, 0, 59);
    offset = zone == '-' ? -offset : offset;
  }
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!in.good_end() || !date.ok()) {
    return not_a_time(text);
  }
  if (second == 60) {
    second = 59;
    ns = ns_per_second - 1;
  }
  const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  const std::int64_t seconds = days * 86400 + (hour * 60 + minute - offset) * 60 + second;
  if (seconds < INT64_MIN / ns_per_second + 1 || seconds > INT64_MAX / ns_per_second - 1) {
    return Error(Code::invalid_argument,
                 fmt::format("the time '{}' is outside the years 1678 to 2261", text))
        .page(4);
  }
  return Time{seconds * ns_per_second + ns};
}

std::string to_http_date(Time time) {
  static constexpr std::array<std::string_view, 7> days = {"Sun", "Mon", "Tue", "Wed",
                                                           "Thu", "Fri", "Sat"};
  static constexpr std::array<std::string_view, 12> months = {
      "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const Civil civil = civil_of(time);
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", days[civil.weekday.c_encoding()],
                     static_cast<unsigned>(civil.date.day()),
                     months[static_cast<unsigned>(civil.date.month()) - 1],
                     static_cast<int>(civil.date.year()), civil.clock.hours().count(),
                     civil.clock.minutes().count(), civil.clock.seconds().count());
}

}  // namespace aios
