// SPDX-License-Identifier: Apache-2.0
#include "bundle/detail/deployment_records.h"

#include "core/text.h"

#include <utility>

namespace aios::bundle {

Json files_json(const Files& files) {
  JsonObject out;
  for (const auto& [path, bytes] : files) {
    out[path] = to_base64(bytes);
  }
  return out;
}

Result<Files> files_from(const std::string& blob) {
  auto document = parse_json(blob);
  if (!document.ok()) {
    return std::move(document).error();
  }
  Files files;
  for (const auto& member : document->get_object()) {
    auto bytes = from_base64(view(member.value().as_string()));
    if (!bytes.ok()) {
      return std::move(bytes).error();
    }
    files[std::string(member.key())] = std::move(*bytes);
  }
  return files;
}

DeploymentInfo info_from(const Json& state) {
  DeploymentInfo info;
  info.name = text_or(state, "name", "");
  info.version = text_or(state, "version", "");
  info.digest = text_or(state, "digest", "");
  info.by = text_or(state, "by", "");
  info.number = static_cast<std::uint64_t>(int_or(state, "number", 0));
  if (const Json* parameters = find(state, "parameters"); parameters != nullptr) {
    info.parameters = parameters->as_object();
  }
  // Deployments of earlier versions do not say which of the values were set: all are kept.
  const Json* set = find(state, "set");
  info.set = set != nullptr && set->is_object() ? set->get_object() : info.parameters;
  auto at = parse_rfc3339(text_or(state, "at", ""));
  info.at = at.ok() ? *at : Time{};
  return info;
}

JsonObject record_json(const DeploymentInfo& info) {
  return JsonObject{{"name", info.name},
                    {"version", info.version},
                    {"digest", info.digest},
                    {"number", info.number},
                    {"by", info.by},
                    {"at", to_rfc3339(info.at)},
                    {"parameters", info.parameters},
                    {"set", info.set}};
}

Json DeploymentInfo::to_json() const {
  JsonArray told;
  for (const std::string& warning : warnings) {
    told.emplace_back(warning);
  }
  JsonArray changed_parameters;
  for (const ParameterChange& change : changes) {
    changed_parameters.push_back(JsonObject{{"name", change.name},
                                            {"from", shown_parameter(change.name, change.from)},
                                            {"to", shown_parameter(change.name, change.to)}});
  }
  JsonObject out = record_json(*this);
  out["changed"] = changed;
  out["parameters"] = shown_parameters(parameters);
  out["set"] = shown_parameters(set);
  out["parameter_changes"] = std::move(changed_parameters);
  out["warnings"] = std::move(told);
  if (plan) {
    out["plan"] = plan->to_json();
  }
  return out;
}

}  // namespace aios::bundle
