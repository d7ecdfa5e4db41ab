// SPDX-License-Identifier: Apache-2.0
#include "app/workflow_name.h"

#include "core/text.h"

#include <fmt/format.h>

#include <set>
#include <vector>

namespace aios::app {

Result<NamedWorkflow> find_workflow(const Json& page, const std::string& given) {
  const bool whole = given.find('/') != std::string::npos;
  std::set<std::string> matches;
  std::vector<std::string> names;
  NamedWorkflow found;
  for (const Json& definition : page.at("items").as_array()) {
    const std::string name(text_or(definition, "name", ""));
    const std::string whole_name = fmt::format("{}/{}", text_or(definition, "namespace", ""), name);
    names.push_back(whole ? whole_name : name);
    if (names.back() == given) {
      matches.insert(whole_name);
      found = {whole_name, definition};
    }
  }
  if (matches.size() > 1) {
    return Error(Code::invalid_argument,
                 fmt::format("'{}' may be any of: {}", given, fmt::join(matches, ", ")))
        .page(1411);
  }
  if (matches.empty()) {
    return Error(Code::not_found,
                 fmt::format("no workflow '{}' is deployed{}", given, hint(given, names)))
        .page(1411);
  }
  return found;
}

Result<std::string> past_or_present_name(const Json& page, const std::string& given) {
  auto found = find_workflow(page, given);
  if (found.ok()) {
    return found->whole_name;
  }
  std::vector<std::string> names;
  for (const Json& definition : page.at("items").as_array()) {
    names.push_back(fmt::format("{}/{}", text_or(definition, "namespace", ""),
                                text_or(definition, "name", "")));
  }
  const bool gone = given.find('/') != std::string::npos && nearest_name(given, names).empty();
  return gone ? Result<std::string>(given) : std::move(found).error();
}

}  // namespace aios::app
