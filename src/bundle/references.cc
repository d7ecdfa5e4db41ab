// SPDX-License-Identifier: Apache-2.0
// What the files of a bundle name of each other, each with the place where it is named. Only names
// that stand in the text are looked at: one that an expression makes is known when it runs.
#include "bundle/detail/names.h"
#include "bundle/detail/parse.h"

#include "core/text.h"
#include "expr/yaml.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace aios::bundle {
namespace {

/// One YAML file whose members name other files.
class Reader {
 public:
  Reader(std::string file, const expr::YamlDocument& document, Checked* checked)
      : file_(std::move(file)),
        document_(&document),
        errors_(&checked->errors),
        warnings_(&checked->warnings) {}

  /// The member's text when it is a plain one: neither missing nor an expression.
  static std::string plain(const Json& node, std::string_view member) {
    const std::string_view text = text_or(node, member, "");
    return text.find("${") == std::string_view::npos ? std::string(text) : std::string();
  }

  /// Complains unless `name` is empty or among `known`.
  bool expect(std::string_view what, const std::string& name, const std::vector<std::string>& known,
              const std::string& pointer, int page) {
    if (name.empty() || std::find(known.begin(), known.end(), name) != known.end()) {
      return true;
    }
    const expr::Position place = document_->positions.of(pointer);
    errors_->push_back(
        Error(Code::not_found, fmt::format("there is no {} '{}'{}", what, name, hint(name, known)))
            .page(page)
            .at(file_, place.line, place.column));
    return false;
  }

  /// A warning for an alias that is no model's name: it may have been promoted under another one.
  void expect_alias(const std::string& alias, const std::vector<std::string>& models,
                    const std::string& pointer) {
    if (alias.empty() || std::find(models.begin(), models.end(), alias) != models.end()) {
      return;
    }
    const expr::Position place = document_->positions.of(pointer);
    warnings_->push_back(
        Error(Code::not_found,
              fmt::format("no model of the bundle is named '{}'{}; a version must be promoted to "
                          "that alias before this step can run",
                          alias, hint(alias, models)))
            .page(1104)
            .at(file_, place.line, place.column));
  }

  enum class Policies : std::uint8_t { none, some };
  /// A rule or package that a `policy` step asks.
  void expect_rule(const std::string& path, const govern::Guard& guard, Policies policies,
                   const std::string& pointer) {
    if (path.empty()) {
      return;
    }
    constexpr int page_no_rule = 505;  // anything else depends on the input
    auto answer =
        guard.query(system_context(default_tenant(), "check"), path, Json(JsonObject()), nullptr);
    if (answer.ok() || answer.error().page() != page_no_rule) {
      return;
    }
    const expr::Position place = document_->positions.of(pointer);
    std::string text =
        policies == Policies::none
            ? fmt::format("asks '{}', and the bundle has no policy (policies/*.rego)", path)
            : fmt::format("the bundle's policies have no rule or package '{}'", path);
    errors_->push_back(Error(Code::not_found, std::move(text))
                           .page(policies == Policies::none ? page_no_policy : 1104)
                           .at(file_, place.line, place.column));
  }

  /// One event starts one run: which of two workflows would answer the sender?
  void claim_trigger(std::map<std::string, std::string>* owners) {
    constexpr std::string_view pointer = "/schedule/on/one/with/type";
    const Json* type = at_pointer(document_->value, pointer);
    if (type == nullptr || !type->is_string()) {
      return;
    }
    const auto [owner, fresh] = owners->emplace(view(type->get_string()), file_);
    if (!fresh) {
      const expr::Position place = document_->positions.of(pointer);
      errors_->push_back(Error(Code::invalid_argument,
                               fmt::format("event type '{}' already triggers the workflow in {}",
                                           owner->first, owner->second))
                             .page(1111)
                             .at(file_, place.line, place.column));
    }
  }

 private:
  std::string file_;
  const expr::YamlDocument* document_;
  std::vector<Error>* errors_;
  std::vector<Error>* warnings_;
};

using Operations = std::map<std::string, std::vector<std::string>>;

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
        operations.emplace_back(member.key());
      }
    }
  }
  return all;
}

struct Known {
  std::vector<std::string> forms;
  std::vector<std::string> connectors;
  Operations operations;
  std::vector<std::string> models;
  const govern::Guard* guard = nullptr;  ///< null: the policies do not compile
  Reader::Policies policies = Reader::Policies::some;
};

void check_call(const Json& task, const std::string& pointer, const Known& known, Reader* reader) {
  const std::string_view call = text_or(task, "call", "");
  const Json* with = find(task, "with");
  if (with == nullptr) {
    return;
  }
  if (call.starts_with("review:")) {
    std::string form = Reader::plain(*with, "form");
    if (form.ends_with(".json")) {
      form.resize(form.size() - 5);
    }
    reader->expect("form", form, known.forms, pointer + "/with/form", 1104);
  } else if (call.starts_with("infer:")) {
    reader->expect_alias(Reader::plain(*with, "model"), known.models, pointer + "/with/model");
  } else if (call.starts_with("policy:") && known.guard != nullptr) {
    reader->expect_rule(Reader::plain(*with, "path"), *known.guard, known.policies,
                        pointer + "/with/path");
  } else if (call.starts_with("connector:")) {
    const std::string name = Reader::plain(*with, "connector");
    const bool there =
        reader->expect("connector", name, known.connectors, pointer + "/with/connector", 1104);
    const auto operations = known.operations.find(name);
    if (there && operations != known.operations.end() && !operations->second.empty()) {
      reader->expect("operation", Reader::plain(*with, "operation"), operations->second,
                     pointer + "/with/operation", 1104);
    }
  }
}

/// Tasks stand at any depth; the parser has bounded it.
void check_tasks(const Json& node, const std::string& pointer, const Known& known, Reader* reader) {
  if (node.is_object()) {
    check_call(node, pointer, known, reader);
    for (const auto& member : node.get_object()) {
      std::string below = pointer;
      expr::append_pointer(below, member.key());
      check_tasks(member.value(), below, known, reader);
    }
  } else if (node.is_array()) {
    for (std::size_t i = 0; i < node.get_array().size(); ++i) {
      check_tasks(node.get_array()[i], fmt::format("{}/{}", pointer, i), known, reader);
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
  known.guard = guard;
  known.policies = bundle.policies.empty() ? Reader::Policies::none : Reader::Policies::some;
  known.models = models_of(bundle);
  known.forms = names_of(bundle.forms);
  known.operations = operations_of(bundle);
  known.connectors = names_of(known.operations);
  const std::vector<std::string> files = names_of(bundle.files);
  std::map<std::string, std::string> owners;  // event type to the file that takes it
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
      check_tasks(document->value, "", known, &reader);
      reader.claim_trigger(&owners);
      continue;
    }
    reader.expect("engine", Reader::plain(document->value, "engine"), engines.names(), "/engine",
                  1103);
    for (const char* member : {"dataset", "heldout"}) {
      reader.expect("file", Reader::plain(document->value, member), files,
                    fmt::format("/{}", member), 1103);
    }
  }
}

}  // namespace aios::bundle
