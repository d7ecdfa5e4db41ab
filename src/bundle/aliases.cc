// SPDX-License-Identifier: Apache-2.0
#include "bundle/aliases.h"

#include "bundle/detail/findings.h"
#include "core/text.h"
#include "expr/yaml.h"

#include <fmt/format.h>

#include <algorithm>

namespace aios::bundle {
namespace {

void add(AliasUse use, std::vector<AliasUse>* uses) {
  const auto same = [&use](const AliasUse& one) { return one.alias == use.alias; };
  if (!use.alias.empty() && std::none_of(uses->begin(), uses->end(), same)) {
    uses->push_back(std::move(use));
  }
}

/// Tasks stand at any depth; the parser has bounded it.
void look(const Json& node, const std::string& file, std::vector<AliasUse>* uses) {
  if (node.is_object()) {
    const Json* with = find(node, "with");
    if (with != nullptr && text_or(node, "call", "").starts_with("infer:")) {
      add({plain_text(*with, "model"), file, true}, uses);
    }
    for (const auto& member : node.get_object()) {
      look(member.value(), file, uses);
    }
  } else if (node.is_array()) {
    for (const Json& item : node.get_array()) {
      look(item, file, uses);
    }
  }
}

}  // namespace

std::vector<AliasUse> aliases_of(const Bundle& bundle) {
  std::vector<AliasUse> uses;
  for (const auto& workflow : bundle.workflows) {
    if (auto document = expr::parse_yaml(workflow.text, workflow.path); document.ok()) {
      look(document->value, workflow.path, &uses);
    }
  }
  for (const ModelSource& model : bundle.models) {
    add({model.spec.name, model.file, false}, &uses);
  }
  return uses;
}

Result<void> expect_known_alias(const std::vector<AliasUse>& uses,
                                const std::vector<models::AliasInfo>& serving,
                                std::string_view alias) {
  std::vector<std::string> names;
  for (const AliasUse& use : uses) {
    names.push_back(use.alias);
  }
  for (const models::AliasInfo& serves : serving) {
    names.push_back(serves.alias);
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  if (std::binary_search(names.begin(), names.end(), alias)) {
    return {};
  }
  return Error(Code::not_found,
               fmt::format("nothing serves the alias '{}' yet, no workflow of the bundle asks it, "
                           "and no model is named so{}; if it is meant so, say --new-alias "
                           "(member 'new_alias')",
                           excerpt(alias, 60), hint(alias, names)))
      .page(1133);
}

Result<void> expect_unused_alias(const std::vector<AliasUse>& uses, std::string_view alias) {
  for (const AliasUse& use : uses) {
    if (use.by_a_workflow && use.alias == alias) {
      return Error(Code::failed_precondition,
                   fmt::format("{} asks the model '{}': its runs would wait; deploy a bundle that "
                               "does not ask it first",
                               use.file, alias))
          .page(1134);
    }
  }
  return {};
}

}  // namespace aios::bundle
