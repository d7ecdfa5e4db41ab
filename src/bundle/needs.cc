// SPDX-License-Identifier: Apache-2.0
// What a bundle must have: what aios.yaml says it needs, and what it does little without.
#include "bundle/detail/egress.h"
#include "bundle/detail/money.h"
#include "bundle/detail/names.h"
#include "bundle/detail/parse.h"

#include "expr/yaml.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace aios::bundle {
namespace {

Error placed(Code code, std::string message, int page, const Named& where) {
  return Error(code, std::move(message)).page(page).at(where.file, where.line, where.column);
}

/// Every `secret: NAME` below `auth` of a manifest, whatever its kind.
void collect(const Json& node, const std::string& pointer, const expr::YamlDocument& document,
             const std::string& file, std::vector<Named>* secrets) {
  if (!node.is_object()) {
    return;
  }
  for (const auto& member : node.get_object()) {
    std::string below = pointer;
    expr::append_pointer(below, member.key());
    if (member.key() == "secret" && member.value().is_string()) {
      const expr::Position place = document.positions.of(below);
      secrets->push_back(
          {std::string(view(member.value().get_string())), file, place.line, place.column});
    } else {
      collect(member.value(), below, document, file, secrets);
    }
  }
}

/// Of connectors below `auth`, of subscriptions `secret` itself. A file that is no YAML has none:
/// its own check says so.
std::vector<Named> secrets_of_others(const Bundle& bundle, bool* unread) {
  std::vector<Named> out;
  for (const auto& file : bundle.connectors) {
    auto document = expr::parse_yaml(file.text, file.path);
    *unread = *unread || !document.ok();
    const Json* auth = document.ok() ? find(document->value, "auth") : nullptr;
    if (auth != nullptr) {
      collect(*auth, "/auth", *document, file.path, &out);
    }
  }
  for (const auto& file : bundle.subscriptions) {
    auto document = expr::parse_yaml(file.text, file.path);
    *unread = *unread || !document.ok();
    if (document.ok()) {
      collect(document->value, "", *document, file.path, &out);
    }
  }
  return out;
}

void check_secrets(const Needs& needs, const Bundle& bundle, const CheckedSourceTexts& sources,
                   Checked* checked) {
  std::vector<Named> used = secrets_of_models(bundle);
  for (Named& secret : secrets_of_calls(bundle)) {
    used.push_back(std::move(secret));
  }
  for (const auto& secret : sources.secrets) {
    used.push_back({secret.name, secret.file, secret.line, secret.column});
  }
  bool unread = false;
  for (Named& secret : secrets_of_others(bundle, &unread)) {
    used.push_back(std::move(secret));
  }
  if (unread) {
    return;  // what it uses is not known
  }
  const auto names = [](const std::vector<Named>& list) {
    std::vector<std::string> out;
    for (const Named& one : list) {
      out.push_back(one.name);
    }
    return out;
  };
  const auto listed = names(needs.secrets);
  const auto taken = names(used);
  for (const Named& secret : used) {
    if (std::find(listed.begin(), listed.end(), secret.name) == listed.end()) {
      checked->errors.push_back(
          placed(Code::not_found,
                 fmt::format("secret '{}' is not among 'needs.secrets' of aios.yaml{}", secret.name,
                             listed.empty() ? "" : hint(secret.name, listed)),
                 1112, secret));
    }
  }
  for (const Named& secret : needs.secrets) {
    if (std::find(taken.begin(), taken.end(), secret.name) == taken.end()) {
      checked->warnings.push_back(
          placed(Code::not_found,
                 fmt::format("no connector, source, subscription, model or workflow uses "
                             "the secret '{}'",
                             secret.name),
                 1112, secret));
    }
  }
}

}  // namespace

void check_needs(const Needs& needs, const Bundle& bundle, const CheckedSourceTexts& sources,
                 Checked* checked) {
  for (const Named& connector : needs.connectors) {
    const std::string path = "connectors/" + connector.name + "/connector.yaml";
    if (bundle.files.count(path) == 0) {
      checked->errors.push_back(placed(Code::not_found,
                                       fmt::format("aios.yaml needs the connector '{}', but {} is "
                                                   "not there",
                                                   connector.name, path),
                                       1106, connector));
    }
  }
  check_secrets(needs, bundle, sources, checked);
}

void check_contents(const Bundle& bundle, Checked* checked) {
  const auto warn = [checked](const std::string& file, std::string message) {
    checked->warnings.push_back(
        Error(Code::failed_precondition, std::move(message)).page(1113).at(file, 1, 1));
  };
  if (bundle.workflows.empty()) {
    warn("aios.yaml", "the bundle has no workflow (workflows/*.yaml): nothing can run");
  }
  const bool asked_for =
      std::any_of(checked->errors.begin(), checked->errors.end(),
                  [](const Error& error) { return error.page() == page_no_policy; });
  if (bundle.policies.empty() && !asked_for) {  // the error says it already
    warn("aios.yaml",
         "the bundle has no policy (policies/*.rego): the guard refuses every event, model call, "
         "connector call and review");
  }
}

}  // namespace aios::bundle
