// SPDX-License-Identifier: Apache-2.0
#include "connectors/detail/egress.h"

#include "core/text.h"
#include "govern/redaction.h"

#include <fmt/format.h>

#include <set>

namespace aios::connectors::detail {

namespace {

void collect_kinds(const Json& value, std::set<std::string>* kinds) {
  if (value.is_string()) {
    for (const govern::Finding& finding : govern::find_personal_data(view(value.get_string()))) {
      kinds->insert(finding.kind);
    }
  } else if (value.is_array()) {
    for (const Json& item : value.get_array()) {
      collect_kinds(item, kinds);
    }
  } else if (value.is_object()) {
    for (const auto& [name, item] : value.get_object()) {
      for (const govern::Finding& finding :
           govern::find_personal_data({name.data(), name.size()})) {
        kinds->insert(finding.kind);
      }
      collect_kinds(item, kinds);
    }
  }
}

void redact_texts(Json* value) {
  if (value->is_string()) {
    *value = govern::redact(view(value->get_string())).text;
  } else if (value->is_array()) {
    for (Json& item : value->get_array()) {
      redact_texts(&item);
    }
  } else if (value->is_object()) {
    for (auto& member : value->get_object()) {
      redact_texts(&member.value());
    }
  }
}

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

std::vector<std::string> personal_kinds(const Json& value) {
  std::set<std::string> kinds;
  collect_kinds(value, &kinds);
  return {kinds.begin(), kinds.end()};
}

JsonObject egress_facts(const OperationInfo& info, const OperationCall& call) {
  JsonArray personal;
  for (const std::string& kind : personal_kinds(call.arguments)) {
    personal.emplace_back(kind);
  }
  JsonObject connector;
  connector["name"] = info.connector;
  connector["region"] = info.region;
  connector["operation"] = info.operation;
  connector["effect"] = std::string(name_of(info.effect));
  JsonObject content;
  content["personal"] = std::move(personal);
  JsonObject facts;
  facts["connector"] = std::move(connector);
  facts["arguments"] = call.arguments;
  facts["content"] = std::move(content);
  facts["run"] = call.run;
  return facts;
}

Result<Json> carry_out(const govern::Decision& decision, const Json& arguments) {
  Json out = arguments;
  for (const JsonObject& obligation : decision.obligations) {
    const Json as_value(obligation);
    const std::string_view type = text_or(as_value, "type", "");
    if (type == "redact") {
      redact_texts(&out);
    } else if (type == "project") {
      out = project(out, find(as_value, "fields"));
    } else {
      return Error(Code::policy_denied,
                   fmt::format("policy obliges to '{}', which connectors cannot do",
                               excerpt(type, 40)))
          .page(907);
    }
  }
  return out;
}

}  // namespace aios::connectors::detail
