// SPDX-License-Identifier: Apache-2.0
#include "bundle/detail/settings.h"

#include "expr/yaml.h"

#include <set>
#include <string>

namespace aios::bundle {
namespace {

/// What is wrong with the manifest is for the check to say.
std::set<std::string> declared_in(const Files& files) {
  std::set<std::string> names;
  const auto manifest = files.find("aios.yaml");
  if (manifest == files.end()) {
    return names;
  }
  const auto document = expr::parse_yaml(manifest->second, "aios.yaml");
  const Json* declared = document.ok() ? find(document->value, "parameters") : nullptr;
  if (declared != nullptr && declared->is_object()) {
    for (const auto& member : declared->get_object()) {
      names.emplace(member.key());
    }
  }
  return names;
}

Json value_of(const JsonObject& values, const std::string& name) {
  const Json* value = values.if_contains(name);
  return value == nullptr ? Json(nullptr) : *value;
}

}  // namespace

JsonObject settings_of(const Files& files, const JsonObject& before, const JsonObject& given) {
  const std::set<std::string> declared = declared_in(files);
  JsonObject settings;
  for (const auto& member : before) {
    if (declared.count(std::string(member.key())) != 0) {
      settings[member.key()] = member.value();
    }
  }
  for (const auto& member : given) {
    if (member.value().is_null() && declared.count(std::string(member.key())) != 0) {
      settings.erase(member.key());
    } else {
      settings[member.key()] = member.value();
    }
  }
  return settings;
}

std::vector<ParameterChange> changes_between(const JsonObject& before, const JsonObject& now) {
  std::set<std::string> names;
  for (const JsonObject* values : {&before, &now}) {
    for (const auto& member : *values) {
      names.emplace(member.key());
    }
  }
  std::vector<ParameterChange> changes;
  for (const std::string& name : names) {
    ParameterChange change{name, value_of(before, name), value_of(now, name)};
    if (change.from != change.to) {
      changes.push_back(std::move(change));
    }
  }
  return changes;
}

}  // namespace aios::bundle
