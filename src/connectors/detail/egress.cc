// SPDX-License-Identifier: Apache-2.0
#include "connectors/detail/egress.h"

#include "connectors/detail/http_calls.h"
#include "core/text.h"
#include "govern/personal_data.h"
#include "govern/policy_input.h"
#include "net/client.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace aios::connectors::detail {

namespace {

/// Keeps the named members only.
Json project(const Json& arguments, const Json* fields) {
  JsonObject out;
  if (fields == nullptr || !fields->is_array() || !arguments.is_object()) {
    return Json(std::move(out));  // nothing is named: nothing is kept
  }
  for (const Json& field : fields->get_array()) {
    if (field.is_string()) {
      if (const Json* value = find(arguments, view(field.get_string()))) {
        out[field.get_string()] = *value;
      }
    }
  }
  return Json(std::move(out));
}

}  // namespace

Result<std::vector<std::string>> personal_credentials(const OperationCall& call) {
  const Json* given = find(call.unseen, "authentication");
  JsonArray texts;
  for (const char* scheme : {"basic", "bearer"}) {
    const Json* credentials = given == nullptr ? nullptr : find(*given, scheme);
    for (const char* member : {"username", "password", "token"}) {
      if (credentials != nullptr) {
        texts.emplace_back(text_or(*credentials, member, ""));
      }
    }
  }
  auto looked = govern::find_personal_data_in(Json(std::move(texts)));
  if (!looked.ok()) {
    return std::move(looked).error();
  }
  return looked->kinds();
}

Result<JsonObject> egress_facts(const OperationInfo& info, const OperationCall& call) {
  auto looked = govern::find_personal_data_in(call.arguments);
  if (!looked.ok()) {
    return std::move(looked).error();
  }
  auto credentials = personal_credentials(call);
  if (!credentials.ok()) {
    return std::move(credentials).error();
  }
  std::set<std::string> kinds(credentials->begin(), credentials->end());
  for (const std::string& kind : looked->kinds()) {
    kinds.insert(kind);
  }
  const JsonArray personal(kinds.begin(), kinds.end());
  JsonObject connector;
  connector["name"] = info.connector;
  connector["region"] = info.region;
  connector["operation"] = info.operation;
  connector["effect"] = std::string(name_of(info.effect));
  JsonObject content;
  content["personal"] = personal;
  JsonObject facts;
  facts["connector"] = std::move(connector);
  if (info.kind == http_calls_kind) {
    const auto parts = net::split_url(info.origin);
    facts["http"] = JsonObject{{"method", info.operation},
                               {"host", parts.ok() ? parts->host : std::string()},
                               {"path", text_or(call.arguments, "path", "")}};
  }
  facts["arguments"] = call.arguments;
  facts["content"] = std::move(content);
  facts["run"] = call.run;
  return govern::held(govern::GuardPoint::connector_egress, std::move(facts));
}

bool demands_masking(const govern::Decision& decision) {
  return std::any_of(
      decision.obligations.begin(), decision.obligations.end(),
      [](const JsonObject& obligation) { return text_or(obligation, "type", "") == "redact"; });
}

Result<Json> carry_out(const govern::Decision& decision, const Json& arguments) {
  Json out = arguments;
  for (const JsonObject& obligation : decision.obligations) {
    const Json as_value(obligation);
    const std::string_view type = text_or(as_value, "type", "");
    if (type == "project") {
      out = project(out, find(as_value, "fields"));
    } else if (type != "redact") {
      return Error(Code::policy_denied,
                   fmt::format("policy obliges to '{}', which connectors cannot do",
                               excerpt(type, 40)))
          .page(907);
    }
  }
  if (demands_masking(decision)) {  // last: it looks again at what is left
    auto masked = govern::mask_personal_data(&out);
    if (!masked.ok()) {
      return std::move(masked).error();
    }
  }
  return out;
}

}  // namespace aios::connectors::detail
