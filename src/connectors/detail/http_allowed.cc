// SPDX-License-Identifier: Apache-2.0
#include "connectors/detail/http_allowed.h"

#include "connectors/detail/egress.h"
#include "core/text.h"
#include "net/http.h"

#include <fmt/format.h>

namespace aios::connectors::detail {

namespace {

/// The query that policy left of the one that was asked for.
std::string query_text(const Json* query) {
  std::string out;
  const auto append = [&out](std::string_view name, const Json& value) {
    out += fmt::format("{}{}={}", out.empty() ? "?" : "&", net::percent_encode(name),
                       net::percent_encode(value.is_string() ? view(value.get_string())
                                                             : std::string_view(to_text(value))));
  };
  if (query == nullptr || !query->is_object()) {
    return out;
  }
  for (const auto& member : query->get_object()) {
    if (!member.value().is_array()) {
      append(member.key(), member.value());
      continue;
    }
    for (const Json& item : member.value().get_array()) {
      append(member.key(), item);
    }
  }
  return out;
}

/// The document's own key tells this call from others: a masked one would be everybody's.
Result<void> check_key(const OperationCall& call) {
  const std::string_view asked = text_or(call.unseen, "key", "");
  const Json* headers = find(call.arguments, "headers");
  const std::string_view left = headers ? text_or(*headers, "idempotency-key", "") : "";
  if (left == asked) {
    return {};
  }
  return Error(Code::policy_denied,
               "policy obliges to mask or leave out the Idempotency-Key of the call, by which the "
               "other system tells it from others")
      .page(907);
}

}  // namespace

Result<std::string> allowed_target(const OperationCall& call) {
  if (auto keyed = check_key(call); !keyed.ok()) {
    return std::move(keyed).error();
  }
  const Json* path = find(call.arguments, "path");
  const Json* asked_path = find(call.unseen, "path");
  AIOS_ASSERT(asked_path != nullptr);
  if (path == nullptr || *path != *asked_path) {
    return Error(Code::policy_denied,
                 "policy obliges to mask or leave out what stands in the path of the call, which "
                 "would lead to another place")
        .page(907);
  }
  std::string target(text_or(call.unseen, "target", "/"));
  const Json nothing = JsonObject();
  const Json* query = find(call.arguments, "query");
  const Json* asked = find(call.unseen, "query");
  if ((query == nullptr ? nothing : *query) == *asked) {
    return target;
  }

  return target.substr(0, target.find('?')) + query_text(query);
}

Result<void> check_credentials(const OperationCall& call) {
  auto found = personal_credentials(call);
  if (!found.ok()) {
    return std::move(found).error();
  }
  if (found->empty()) {
    return {};
  }
  return Error(Code::policy_denied,
               fmt::format("what authenticates the call holds personal data ({}), which policy "
                           "obliges to mask",
                           join(*found, ", ")))
      .page(517);
}

}  // namespace aios::connectors::detail
