// SPDX-License-Identifier: Apache-2.0
// `budgets` of aios.yaml: what calls of hosted models may cost in a day or a month.
#include "bundle/detail/money.h"
#include "bundle/detail/names.h"

#include "core/text.h"
#include "expr/yaml.h"

#include <fmt/format.h>

#include <algorithm>

namespace aios::bundle {
namespace {

constexpr int page_budgets = 1131;
constexpr int page_no_budget = 1132;
constexpr const char* manifest_file = "aios.yaml";
constexpr std::string_view schema = R"({
  "type": "array", "maxItems": 50,
  "items": {
    "type": "object", "additionalProperties": false,
    "required": ["name", "currency", "window", "limit"],
    "properties": {
      "name": {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,59}$"},
      "workflow": {"type": "string", "minLength": 1, "maxLength": 100},
      "currency": {"type": "string", "pattern": "^[A-Z]{3}$"},
      "window": {"enum": ["day", "month"]},
      "limit": {"type": ["number", "string"]}}}})";

Error placed(const expr::YamlDocument& document, const std::string& pointer, Error error) {
  const expr::Position place = document.positions.of(pointer);
  return std::move(error).at(manifest_file, place.line, place.column);
}

/// "namespace/name" of each workflow that can be read.
std::vector<std::string> workflows_of(const Bundle& bundle) {
  std::vector<std::string> names;
  for (const auto& file : bundle.workflows) {
    const auto document = expr::parse_yaml(file.text, file.path);
    const Json* head = document.ok() ? find(document->value, "document") : nullptr;
    if (head != nullptr) {
      names.push_back(
          fmt::format("{}/{}", text_or(*head, "namespace", ""), text_or(*head, "name", "")));
    }
  }
  return names;
}

bool is_there(const std::string& workflow, const std::vector<std::string>& names) {
  return std::any_of(names.begin(), names.end(), [&](const std::string& name) {
    return name == workflow || name.ends_with("/" + workflow);
  });
}

govern::BudgetSpec spec_of(const Json& entry, const std::string& pointer,
                           const expr::YamlDocument& document, std::vector<Error>* errors) {
  govern::BudgetSpec spec;
  spec.name = text_or(entry, "name", "");
  spec.workflow = text_or(entry, "workflow", "");
  spec.scope = spec.workflow.empty() ? govern::BudgetScope::tenant : govern::BudgetScope::workflow;
  spec.currency = text_or(entry, "currency", "");
  spec.window = text_or(entry, "window", "") == "day" ? govern::BudgetWindow::day
                                                      : govern::BudgetWindow::month;
  auto limit = govern::nano_of(*find(entry, "limit"));
  if (limit.ok()) {
    spec.limit_nano = *limit;
  } else {
    errors->push_back(placed(document, pointer + "/limit", std::move(limit).error()));
  }
  return spec;
}

void read_list(const JsonArray& list, const expr::YamlDocument& document, Bundle* bundle,
               Checked* checked) {
  const auto workflows = workflows_of(*bundle);
  auto offered = workflows;  // both forms of a name are right
  for (const std::string& name : workflows) {
    offered.push_back(name.substr(name.find('/') + 1));
  }
  for (std::size_t i = 0; i < list.size(); ++i) {
    const std::string pointer = fmt::format("/budgets/{}", i);
    auto spec = spec_of(list[i], pointer, document, &checked->errors);
    if (!spec.workflow.empty() && !workflows.empty() && !is_there(spec.workflow, workflows)) {
      auto missing =
          Error(Code::not_found,
                fmt::format("no workflow of the bundle is named '{}': the budget covers "
                            "nothing{}",
                            excerpt(spec.workflow, 60), did_you_mean(spec.workflow, offered)));
      checked->warnings.push_back(
          placed(document, pointer + "/workflow", std::move(missing).page(page_budgets)));
    }
    bundle->budgets.push_back(std::move(spec));
  }
  auto good = govern::Budgets::check(bundle->budgets);
  if (!good.ok()) {
    checked->errors.push_back(placed(document, "/budgets", std::move(good).error()));
  }
}

/// A call that no budget can cover is refused each time: what nobody granted is not spent.
void check_granted(const Bundle& bundle, Checked* checked) {
  for (const gateway::HostedModel& model : bundle.hosted) {
    const bool costs =
        model.price.input_nano_per_million > 0 || model.price.output_nano_per_million > 0;
    const bool granted = std::any_of(
        bundle.budgets.begin(), bundle.budgets.end(),
        [&](const govern::BudgetSpec& spec) { return spec.currency == model.price.currency; });
    if (costs && !granted) {
      checked->errors.push_back(
          Error(Code::failed_precondition,
                fmt::format("model '{}' has its price in {}, and no budget in {} is granted "
                            "('budgets' of this file): every call would be refused",
                            model.alias, model.price.currency, model.price.currency))
              .page(page_no_budget)
              .at(manifest_file, 1, 1));
    }
  }
}

}  // namespace

void read_budgets(Bundle* bundle, Checked* checked) {
  std::vector<Error>* errors = &checked->errors;
  const auto document = expr::parse_yaml(bundle->files.at(manifest_file), manifest_file);
  AIOS_ASSERT(document.ok());  // it was read before
  const std::size_t before = errors->size();
  if (const Json* given = find(document->value, "budgets"); given != nullptr) {
    const Complain complain = [&](const std::string& pointer, std::string message) {
      errors->push_back(
          placed(*document, "/budgets" + pointer,
                 Error(Code::invalid_argument, std::move(message)).page(page_budgets)));
    };
    const Json value = with_parameters(*given, bundle->parameters, complain);
    if (errors->size() == before && fits_schema(schema, value, complain)) {
      read_list(value.get_array(), *document, bundle, checked);
    }
  }
  if (errors->size() == before) {
    check_granted(*bundle, checked);
  }
}

}  // namespace aios::bundle
