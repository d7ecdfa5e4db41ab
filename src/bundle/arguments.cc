// SPDX-License-Identifier: Apache-2.0
// Arguments of `connector` steps. An expression may become any value, so what hangs on one is left
// to the run; the names beside it are there whatever it gives.
#include "bundle/detail/steps.h"

#include "bundle/detail/names.h"
#include "expr/schema.h"

#include <array>

namespace aios::bundle {
namespace {

constexpr std::size_t issues_max = 20;

/// Keywords that look at names, counts and the type of a collection, not at what its members are.
bool looks_at_names(std::string_view keyword) {
  constexpr std::array<std::string_view, 7> all = {
      "required", "additionalProperties", "type", "minProperties", "maxProperties", "minItems",
      "maxItems"};
  return std::find(all.begin(), all.end(), keyword) != all.end();
}

/// Whether the way to the keyword leads through one that holds only if something else does.
bool conditional(std::string_view evaluation_path) {
  constexpr std::array<std::string_view, 7> all = {
      "/if/", "/then/", "/else/", "/anyOf/", "/oneOf/", "/not/", "/dependentSchemas/"};
  return std::any_of(all.begin(), all.end(), [evaluation_path](std::string_view part) {
    return evaluation_path.find(part) != std::string_view::npos;
  });
}

/// Whether it stays wrong whatever the expressions give.
bool certain(const expr::SchemaIssue& issue, const Json& arguments) {
  if (conditional(issue.evaluation_path) && holds_expression(arguments)) {
    return false;
  }
  const Json* value = at_pointer(arguments, issue.instance_path);
  if (value == nullptr || !holds_expression(*value)) {
    return true;
  }
  return !value->is_string() && looks_at_names(issue.keyword);
}

/// The schema around the keyword that found something; null when a reference leads there.
const Json* around(const Json& schema, std::string_view schema_path) {
  return at_pointer(schema, schema_path.substr(0, schema_path.rfind('/')));
}

bool among(const std::string& name, const std::vector<std::string>& names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

class Arguments {
 public:
  Arguments(const Json& with, std::string pointer, const Json& schema, Findings* findings)
      : pointer_(std::move(pointer)),
        schema_(schema),
        findings_(findings),
        operation_(
            fmt::format("{}.{}", text_or(with, "connector", ""), text_or(with, "operation", ""))) {
    if (const Json* given = find(with, "arguments"); given != nullptr) {
      arguments_ = *given;
      pointer_ += "/arguments";
    }
  }

  void check() {
    if (arguments_.is_string() && holds_expression(arguments_)) {
      return;
    }
    auto compiled = expr::Schema::compile(schema_);
    if (!compiled.ok()) {
      return;  // the manifest's own check says so
    }
    auto issues = compiled->issues(arguments_, issues_max);
    if (!issues.ok()) {
      return;
    }
    std::erase_if(*issues, [this](const auto& issue) { return !certain(issue, arguments_); });
    for (const auto& issue : *issues) {
      if (issue.keyword == "additionalProperties") {
        unknown_names(issue);
      }
    }
    for (const auto& issue : *issues) {
      if (issue.keyword == "required") {
        missing_names(issue);
      } else if (issue.keyword != "additionalProperties") {
        other(issue);
      }
    }
  }

 private:
  void complain(const std::string& pointer, std::string message) {
    findings_->error(pointer, Code::invalid_argument, std::move(message), page_arguments);
  }

  void other(const expr::SchemaIssue& issue) {
    const std::string what = issue.instance_path.empty()
                                 ? std::string("the arguments")
                                 : fmt::format("argument '{}'", issue.instance_path.substr(1));
    complain(pointer_ + issue.instance_path,
             fmt::format("{} of '{}': {}", what, operation_, excerpt(issue.message, 300)));
  }

  void unknown_names(const expr::SchemaIssue& issue) {
    const Json* place = around(schema_, issue.schema_path);
    const Json* given = at_pointer(arguments_, issue.instance_path);
    if (place == nullptr || given == nullptr || find(*place, "patternProperties") != nullptr) {
      other(issue);
      return;
    }
    const auto known = keys_of(find(*place, "properties"));
    for (const std::string& name : keys_of(given)) {
      if (among(name, known)) {
        continue;
      }
      std::string pointer = pointer_ + issue.instance_path;
      expr::append_pointer(pointer, name);
      findings_->error_at_key(
          pointer, Code::invalid_argument,
          fmt::format("'{}' is no argument of '{}'{}", name, operation_, hint(name, known)),
          page_arguments);
      meant_.insert(issue.instance_path + "/" + nearest_name(name, known));
    }
  }

  /// Those whose misspelt name was told of are not missed.
  void missing_names(const expr::SchemaIssue& issue) {
    const Json* place = around(schema_, issue.schema_path);
    const Json* wanted = place == nullptr ? nullptr : find(*place, "required");
    const Json* given = at_pointer(arguments_, issue.instance_path);
    if (wanted == nullptr || !wanted->is_array() || given == nullptr) {
      other(issue);
      return;
    }
    const auto there = keys_of(given);
    for (const Json& item : wanted->get_array()) {
      const std::string name(item.is_string() ? view(item.get_string()) : "");
      const std::string at = issue.instance_path + "/" + name;
      if (name.empty() || among(name, there) || !meant_.insert(at).second) {
        continue;
      }
      complain(pointer_ + issue.instance_path,
               fmt::format("'{}' wants the argument '{}', which is not given", operation_,
                           at.substr(1)));
    }
  }

  std::string pointer_;
  const Json& schema_;
  Findings* findings_;
  std::string operation_;
  Json arguments_ = JsonObject();
  std::set<std::string> meant_;  // told of, by JSON pointer
};

}  // namespace

void check_connector_arguments(const Json& with, const std::string& pointer, const Json& schema,
                               Findings* findings) {
  if (!schema.is_null()) {
    Arguments(with, pointer, schema, findings).check();
  }
}

}  // namespace aios::bundle
