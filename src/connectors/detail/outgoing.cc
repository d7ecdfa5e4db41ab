// SPDX-License-Identifier: Apache-2.0
#include "connectors/detail/outgoing.h"

#include "core/text.h"
#include "govern/personal_data.h"
#include "net/http.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace aios::connectors::detail {

namespace {

Result<std::string> decoded_query(std::string_view text) {
  std::string spaced(text);
  std::replace(spaced.begin(), spaced.end(), '+', ' ');
  return net::percent_decode(spaced);
}

/// Each segment of the path as a text, each parameter as a member; so that the end of one and the
/// beginning of the next are not taken for one number.
Result<JsonArray> parts_of(std::string_view target) {
  JsonArray parts;
  const std::size_t query = std::min(target.find('?'), target.size());
  for (const std::string_view segment : split(target.substr(0, query), '/')) {
    auto text = net::percent_decode(segment);
    if (!text.ok()) {
      return std::move(text).error();
    }
    if (govern::holds_mark(*text)) {
      return Error(Code::policy_denied,
                   "policy obliges to mask personal data that the operation puts into its path, "
                   "where a mark would lead to another place")
          .page(907);
    }
    parts.emplace_back(*text);
  }
  const std::string_view parameters = query < target.size() ? target.substr(query + 1) : "";
  for (const std::string_view parameter : split(parameters, '&')) {
    const std::size_t equals = std::min(parameter.find('='), parameter.size());
    auto name = decoded_query(parameter.substr(0, equals));
    auto value = decoded_query(parameter.substr(std::min(equals + 1, parameter.size())));
    if (!name.ok() || !value.ok()) {
      return name.ok() ? std::move(value).error() : std::move(name).error();
    }
    parts.emplace_back(JsonObject{{*name, *value}});
  }
  return parts;
}

}  // namespace

Result<void> check_masked(const Outgoing& request, std::span<const std::string_view> own) {
  auto parts = parts_of(request.target);
  if (!parts.ok()) {
    return std::move(parts).error();
  }
  parts->emplace_back(request.body ? *request.body : Json(nullptr));
  auto looked = govern::find_personal_data_in(Json(std::move(*parts)));
  if (!looked.ok()) {
    return std::move(looked).error();
  }
  for (const auto& [kind, value] : looked->found) {
    const bool given = std::any_of(own.begin(), own.end(), [&](std::string_view text) {
      return text.find(value) != std::string_view::npos;
    });
    if (!given) {
      return Error(Code::policy_denied,
                   fmt::format("the request holds personal data ({}) though its arguments are "
                               "masked",
                               kind))
          .page(517);
    }
  }
  return {};
}

}  // namespace aios::connectors::detail
