// SPDX-License-Identifier: Apache-2.0
#include "workflow/detail/durations.h"

#include <fmt/format.h>

#include <array>
#include <utility>

namespace aios::workflow {
namespace {

constexpr std::int64_t second_ns = 1'000'000'000;
constexpr std::int64_t limit_ns = 36'500ll * 24 * 3'600 * second_ns;

std::int64_t unit_ns(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, std::int64_t>, 5> units{{
      {"days", 24 * 3'600 * second_ns},
      {"hours", 3'600 * second_ns},
      {"minutes", 60 * second_ns},
      {"seconds", second_ns},
      {"milliseconds", second_ns / 1'000},
  }};
  for (const auto& [unit, ns] : units) {
    if (unit == name) {
      return ns;
    }
  }
  return 0;
}

Error too_long() {
  return Error(Code::invalid_argument, "a duration of more than 100 years").page(1001);
}

}  // namespace

Result<Duration> duration_of(const Json& value) {
  if (value.is_string()) {
    auto parsed = parse_iso_duration(view(value.get_string()));
    if (!parsed.ok()) {
      return std::move(parsed).error();
    }
    if (parsed->count() < 0 || parsed->count() > limit_ns) {
      return too_long();
    }
    return parsed;
  }
  if (!value.is_object() || value.get_object().empty()) {
    return Error(Code::invalid_argument,
                 fmt::format("found {}, wanted ISO 8601 text such as 'PT30S' or an object of days, "
                             "hours, minutes, seconds, milliseconds",
                             type_name(value)))
        .page(1001);
  }
  std::int64_t total = 0;
  for (const auto& member : value.get_object()) {
    const std::string_view name(member.key().data(), member.key().size());
    const auto unit = unit_ns(name);
    const auto count = int_or(value, name, -1);
    if (unit == 0 || count < 0) {
      return Error(Code::invalid_argument,
                   fmt::format("found '{}: {}', wanted a whole number of days, hours, minutes, "
                               "seconds or milliseconds",
                               name, to_text(member.value())))
          .page(1001);
    }
    if (count > limit_ns / unit || total > limit_ns - count * unit) {
      return too_long();
    }
    total += count * unit;
  }
  return Duration(total);
}

}  // namespace aios::workflow
