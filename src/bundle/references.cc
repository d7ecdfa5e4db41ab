// SPDX-License-Identifier: Apache-2.0
// What the files of a bundle name of each other, each with the place where it is named. Only names
// that stand in the text are looked at: one that an expression makes is known when it runs.
#include "bundle/detail/attributes.h"
#include "bundle/detail/findings.h"
#include "bundle/detail/names.h"
#include "bundle/detail/parse.h"
#include "bundle/detail/steps.h"

#include "core/text.h"
#include "expr/yaml.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace aios::bundle {
namespace {

/// One YAML file whose members name other files.
class Reader : public Findings {
 public:
  using Findings::Findings;

  /// A warning for an alias that is no model's name: it may have been promoted under another one.
  void expect_alias(const std::string& alias, const std::vector<std::string>& models,
                    const std::string& pointer) {
    if (alias.empty() || std::find(models.begin(), models.end(), alias) != models.end()) {
      return;
    }
    warn(pointer, Code::not_found,
         fmt::format("no model of the bundle is named '{}'{}; a version must be promoted to that "
                     "alias before this step can run",
                     alias, hint(alias, models)),
         1104);
  }

  enum class Policies : std::uint8_t { none, some };
  /// A rule or package that a `policy` step asks.
  void expect_rule(const std::string& path, const govern::Guard& guard, Policies policies,
                   const std::string& pointer) {
    if (path.empty()) {
      return;
    }
    constexpr int page_no_rule = 505;  // anything else depends on the input
    auto answer = guard.query(system_context(default_tenant(), "check"), path, Json(JsonObject()));
    if (answer.ok() || answer.error().page() != page_no_rule) {
      return;
    }
    std::string text =
        policies == Policies::none
            ? fmt::format("asks '{}', and the bundle has no policy (policies/*.rego)", path)
            : fmt::format("the bundle's policies have no rule or package '{}'", path);
    error(pointer, Code::not_found, std::move(text),
          policies == Policies::none ? page_no_policy : 1104);
  }

  /// One event starts one run: which of two workflows would answer the sender?
  void claim_trigger(std::map<std::string, std::string>* owners) {
    const std::string pointer = "/schedule/on/one/with/type";
    const Json* type = at_pointer(root(), pointer);
    if (type == nullptr || !type->is_string()) {
      return;
    }
    const auto [owner, fresh] = owners->emplace(view(type->get_string()), file());
    if (!fresh) {
      error(pointer, Code::invalid_argument,
            fmt::format("event type '{}' already triggers the workflow in {}", owner->first,
                        owner->second),
            1111);
    }
  }
};

/// "connectors/<name>/connector.yaml": the name.
std::string folder_of(std::string_view path) {
  const std::string_view folder = path.substr(0, path.rfind('/'));
  return std::string(folder.substr(folder.rfind('/') + 1));
}

/// The operations of each connector. One whose manifest cannot be read is reported by its own
/// check; here it counts under its folder's name, with no operations known.
Operations operations_of(const Bundle& bundle) {
  Operations all;
  for (const auto& file : bundle.connectors) {
    auto document = expr::parse_yaml(file.text, file.path);
    const std::string folder = folder_of(file.path);
    const Json nothing;
    const Json& manifest = document.ok() ? document->value : nothing;
    auto& operations = all[std::string(text_or(manifest, "name", folder))];
    const Json* listed = find(manifest, "operations");
    if (listed != nullptr && listed->is_object()) {
      for (const auto& member : listed->get_object()) {
        const Json* schema = find(member.value(), "arguments");
        operations[std::string(member.key())] = schema == nullptr ? Json() : *schema;
      }
    }
  }
  return all;
}

struct Known {
  const Bundle* bundle = nullptr;
  std::vector<LabelSet> sets;
  std::vector<std::string> forms;
  std::vector<std::string> connectors;
  Operations operations;
  std::vector<std::string> models;
  const govern::Guard* guard = nullptr;  ///< null: the policies do not compile
  Reader::Policies policies = Reader::Policies::some;
};

void check_connector(const Json& with, const std::string& pointer, const Known& known,
                     Reader* reader) {
  const std::string name = plain_text(with, "connector");
  const bool there =
      reader->expect("connector", name, known.connectors, pointer + "/connector", 1104);
  const auto operations = known.operations.find(name);
  if (!there || operations == known.operations.end() || operations->second.empty()) {
    return;
  }
  const std::string operation = plain_text(with, "operation");
  reader->expect("operation", operation, names_of(operations->second), pointer + "/operation",
                 1104);
  const auto found = operations->second.find(operation);
  if (found != operations->second.end()) {
    check_connector_arguments(with, pointer, found->second, reader);
  }
}

void check_call(const Json& task, const std::string& pointer, const Known& known, AskedForms* asked,
                Reader* reader) {
  const std::string_view call = text_or(task, "call", "");
  const Json* with = find(task, "with");
  if (with == nullptr) {
    return;
  }
  if (call.starts_with("review:")) {
    reader->expect("form", form_of(*with), known.forms, pointer + "/with/form", 1104);
    check_review(*with, pointer + "/with", *known.bundle, known.sets, asked, reader);
  } else if (call.starts_with("infer:")) {
    reader->expect_alias(plain_text(*with, "model"), known.models, pointer + "/with/model");
  } else if (call.starts_with("policy:") && known.guard != nullptr) {
    reader->expect_rule(plain_text(*with, "path"), *known.guard, known.policies,
                        pointer + "/with/path");
  } else if (call.starts_with("connector:")) {
    check_connector(*with, pointer + "/with", known, reader);
  }
}

/// Tasks stand at any depth; the parser has bounded it.
void check_tasks(const Json& node, const std::string& pointer, const Known& known,
                 AskedForms* asked, Reader* reader) {
  if (node.is_object()) {
    check_call(node, pointer, known, asked, reader);
    for (const auto& member : node.get_object()) {
      std::string below = pointer;
      expr::append_pointer(below, member.key());
      check_tasks(member.value(), below, known, asked, reader);
    }
  } else if (node.is_array()) {
    for (std::size_t i = 0; i < node.get_array().size(); ++i) {
      check_tasks(node.get_array()[i], fmt::format("{}/{}", pointer, i), known, asked, reader);
    }
  }
}

/// By `name`, or by the file's where that cannot be read.
std::vector<std::string> models_of(const Bundle& bundle) {
  std::vector<std::string> names;
  for (const auto& [path, text] : bundle.files) {
    if (!path.starts_with("models/") || !path.ends_with(".yaml")) {
      continue;
    }
    auto document = expr::parse_yaml(text, path);
    const std::string stem = path.substr(7, path.size() - 12);
    names.emplace_back(document.ok() ? text_or(document->value, "name", stem) : stem);
  }
  return names;
}

}  // namespace

void check_references(const Bundle& bundle, const govern::Guard* guard, Checked* checked) {
  Known known;
  known.bundle = &bundle;
  known.sets = label_sets_of(bundle);
  known.guard = guard;
  known.policies = bundle.policies.empty() ? Reader::Policies::none : Reader::Policies::some;
  known.models = models_of(bundle);
  known.forms = names_of(bundle.forms);
  known.operations = operations_of(bundle);
  known.connectors = names_of(known.operations);
  const std::vector<std::string> files = names_of(bundle.files);
  std::map<std::string, std::string> owners;  // event type to the file that takes it
  AskedForms asked;
  models::EngineRegistry engines;
  models::register_all_engines(engines);
  for (const auto& [path, text] : bundle.files) {
    const bool is_workflow = path.starts_with("workflows/") && path.ends_with(".yaml");
    const bool is_model = path.starts_with("models/") && path.ends_with(".yaml");
    if (!is_workflow && !is_model) {
      continue;
    }
    auto document = expr::parse_yaml(text, path);
    if (!document.ok()) {
      continue;  // reported by the check of its own kind
    }
    Reader reader(path, *document, checked);
    if (is_workflow) {
      check_tasks(document->value, "", known, &asked, &reader);
      reader.claim_trigger(&owners);
      Findings findings(path, *document, checked);
      check_attributes(&findings);
      continue;
    }
    reader.expect("engine", plain_text(document->value, "engine"), engines.names(), "/engine",
                  1103);
    for (const char* member : {"dataset", "heldout"}) {
      reader.expect("file", plain_text(document->value, member), files, fmt::format("/{}", member),
                    1103);
    }
  }
  check_forms(bundle, known.sets, asked, checked);
  check_labels(bundle, known.sets, checked);
}

}  // namespace aios::bundle
