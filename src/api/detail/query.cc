// SPDX-License-Identifier: Apache-2.0
#include "api/detail/query.h"

#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace aios::api {
namespace {

constexpr std::size_t shown_characters_max = 40;

std::uint32_t number_of(std::string_view text) {
  std::uint32_t number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  return failed == std::errc() && end == text.data() + text.size() ? number : 0;
}

Error unknown_name(std::string_view name, std::span<const QueryParameter> parameters) {
  std::vector<std::string> names;
  for (const QueryParameter& parameter : parameters) {
    names.emplace_back(parameter.name);
  }
  std::string text =
      fmt::format("query parameter '{}' is not one of this operation's ({})",
                  excerpt(name, shown_characters_max), names.empty() ? "none" : join(names, ", "));
  const std::string nearest = nearest_name(name, names);
  if (!nearest.empty()) {
    text += fmt::format("; did you mean '{}'?", nearest);
  }
  return Error(Code::invalid_argument, std::move(text)).page(1302);
}

Result<void> check_value(const QueryParameter& parameter, std::string_view value) {
  std::string wanted;
  if (parameter.number_max > 0) {
    const std::uint32_t number = number_of(value);
    if (number < 1 || number > parameter.number_max) {
      wanted = fmt::format("1 to {}", parameter.number_max);
    }
  } else if (!parameter.choices.empty()) {
    const auto choices = split(parameter.choices, '|');
    if (std::find(choices.begin(), choices.end(), value) == choices.end()) {
      wanted = fmt::format("one of {}", fmt::join(choices, ", "));
    }
  }
  if (wanted.empty()) {
    return {};
  }
  return Error(Code::invalid_argument,
               fmt::format("query parameter '{}' is '{}', wanted {}", parameter.name,
                           excerpt(value, shown_characters_max), wanted))
      .page(1302);
}

Json schema_of(const QueryParameter& parameter) {
  JsonObject schema{{"type", parameter.number_max > 0 ? "integer" : "string"}};
  if (parameter.number_max > 0) {
    schema["minimum"] = 1;
    schema["maximum"] = parameter.number_max;
  }
  if (!parameter.choices.empty()) {
    JsonArray choices;
    for (const std::string_view choice : split(parameter.choices, '|')) {
      choices.emplace_back(choice);
    }
    schema["enum"] = std::move(choices);
  }
  if (!parameter.absent_means.empty()) {
    schema["default"] = parameter.number_max > 0 ? Json(number_of(parameter.absent_means))
                                                 : Json(parameter.absent_means);
  }
  return schema;
}

}  // namespace

Json query_document(std::span<const QueryParameter> parameters) {
  if (parameters.empty()) {
    return nullptr;
  }
  JsonArray out;
  for (const QueryParameter& parameter : parameters) {
    out.push_back(JsonObject{{"name", parameter.name},
                             {"in", "query"},
                             {"description", parameter.summary},
                             {"schema", schema_of(parameter)}});
  }
  return out;
}

Result<void> take_query(std::span<const QueryParameter> parameters, net::Request* request) {
  for (const auto& [name, value] : request->query) {
    const auto same = [&name](const QueryParameter& parameter) { return parameter.name == name; };
    if (std::none_of(parameters.begin(), parameters.end(), same)) {
      return unknown_name(name, parameters);
    }
  }
  std::vector<std::pair<std::string, std::string>> taken;
  for (const QueryParameter& parameter : parameters) {
    std::string value(request->query_value(parameter.name));
    if (value.empty()) {
      value = parameter.absent_means;
    } else if (auto fits = check_value(parameter, value); !fits.ok()) {
      return fits;
    }
    taken.emplace_back(parameter.name, std::move(value));
  }
  request->query = std::move(taken);
  return {};
}

std::string_view query_text(const net::Request& request, std::string_view name) {
  for (const auto& [taken, value] : request.query) {
    if (taken == name) {
      return value;
    }
  }
  fail_assertion(fmt::format("the row lists the query parameter '{}'", name).c_str(), __FILE__,
                 __LINE__);
}

std::uint32_t limit_of(const net::Request& request) {
  return number_of(query_text(request, limit_parameter.name));
}

}  // namespace aios::api
