// SPDX-License-Identifier: Apache-2.0
#include "api/detail/run_filter.h"

#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace aios::api {
namespace {

Error unusable(std::string_view name, std::string_view found, std::string_view wanted) {
  return Error(Code::invalid_argument,
               fmt::format("{} is '{}', wanted {}", name, excerpt(found, 60), wanted))
      .page(1341);
}

Result<std::optional<Time>> time_of(std::string_view name, std::string_view text) {
  if (text.empty()) {
    return std::optional<Time>();
  }
  const auto time = parse_rfc3339(text);
  return time.ok() ? Result<std::optional<Time>>(*time)
                   : unusable(name, text, "a time such as 2026-11-21T14:00:00Z");
}

}  // namespace

Result<RunFilter> RunFilter::parse(std::string_view since, std::string_view until,
                                   std::string_view error) {
  RunFilter filter;
  auto from = time_of("since", since);
  auto to = time_of("until", until);
  if (!from.ok() || !to.ok()) {
    return from.ok() ? std::move(to).error() : std::move(from).error();
  }
  filter.since = *from;
  filter.until = *to;
  if (!error.empty()) {
    const auto digits = error.starts_with("AIOS-") ? error.substr(5) : error;
    if (digits.empty() || digits.size() > 4 ||
        digits.find_first_not_of("0123456789") != std::string_view::npos) {
      return unusable("error", error, "the number of an error page, such as AIOS-0904");
    }
    filter.error = fmt::format("AIOS-{:0>4}", digits);
  }
  return filter;
}

bool RunFilter::takes(const workflow::RunView& run) const {
  if ((since && run.updated < *since) || (until && run.updated >= *until)) {
    return false;
  }
  const JsonObject none;
  const auto& attributes = run.attributes.is_object() ? run.attributes.get_object() : none;
  if (!std::all_of(where.begin(), where.end(),
                   [&](const workflow::Condition& one) { return one.fits(attributes); })) {
    return false;
  }
  if (error.empty()) {
    return true;
  }
  const Json clear = run.clear_json();
  const Json* found = find(clear, "error");
  return found != nullptr && text_or(*found, "page", "") == error;
}

}  // namespace aios::api
