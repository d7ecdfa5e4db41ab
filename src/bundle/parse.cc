// SPDX-License-Identifier: Apache-2.0
#include "bundle/detail/parse.h"

#include "bundle/detail/names.h"
#include "bundle/plan.h"
#include "core/text.h"
#include "expr/yaml.h"

#include <fmt/format.h>

#include <algorithm>

namespace aios::bundle {
namespace {

/// One YAML file being read: reports problems with the place of the value.
class Source {
 public:
  Source(std::string file, const expr::YamlDocument& document, std::vector<Error>* errors)
      : file_(std::move(file)),
        document_(&document),
        errors_(errors) {}

  void complain(std::string_view pointer, std::string message, int page) {
    const expr::Position place = document_->positions.of(pointer);
    errors_->push_back(Error(Code::invalid_argument, std::move(message))
                           .page(page)
                           .at(file_, place.line, place.column));
  }

  /// The member as text; complains when it is missing or something else.
  std::string text(std::string_view member, int page) {
    const Json* value = find(document_->value, member);
    if (value == nullptr || !value->is_string() || value->get_string().empty()) {
      complain(value == nullptr ? "" : fmt::format("/{}", member),
               fmt::format("'{}' is {}, wanted a text that is not empty", member,
                           value == nullptr ? "missing" : type_name(*value)),
               page);
      return {};
    }
    return std::string(view(value->get_string()));
  }

  void only(const std::vector<std::string>& known, int page) {
    only(document_->value, "", "the document", known, page);
  }

  /// Of the object at `pointer`, which `what` names: false when it is none.
  bool only(const Json& value, const std::string& pointer, std::string_view what,
            const std::vector<std::string>& known, int page) {
    if (!value.is_object()) {
      complain(pointer, fmt::format("{} is {}, wanted an object", what, type_name(value)), page);
      return false;
    }
    for (const auto& member : value.get_object()) {
      const std::string name(member.key());
      if (std::find(known.begin(), known.end(), name) == known.end()) {
        complain(fmt::format("{}/{}", pointer, name),
                 fmt::format("'{}' is not known here{}", name, hint(name, known)), page);
      }
    }
    return true;
  }

 private:
  std::string file_;
  const expr::YamlDocument* document_;
  std::vector<Error>* errors_;
};

bool fits(std::string_view type, const Json& value) {
  return (type == "string" && value.is_string()) || (type == "boolean" && value.is_bool()) ||
         (type == "integer" && (value.is_int64() || value.is_uint64())) ||
         (type == "number" && value.is_number()) || (type == "object" && value.is_object()) ||
         (type == "array" && value.is_array());
}

std::vector<Named> named(const expr::YamlDocument& document, const std::string& pointer,
                         const Json* list) {
  std::vector<Named> out;
  for (std::string& name : texts_of(list)) {
    const expr::Position place = document.positions.of(fmt::format("{}/{}", pointer, out.size()));
    out.push_back({std::move(name), "aios.yaml", place.line, place.column});
  }
  return out;
}

/// A value given on the command line as text counts as JSON where the parameter is no text.
Json overriding(const Json& given, std::string_view type) {
  if (type != "string" && given.is_string()) {
    auto parsed = parse_json(view(given.get_string()));
    if (parsed.ok()) {
      return std::move(*parsed);
    }
  }
  return given;
}

/// The type of a value, and the value where it may be shown.
std::string shown(std::string_view name, const Json& value) {
  return fmt::format("{} {}", type_name(value), excerpt(to_text(shown_parameter(name, value)), 60));
}

void read_parameters(const Json& declared, const JsonObject& overrides, Source& source,
                     Bundle* bundle) {
  const std::vector<std::string> types = {"string",  "integer", "number",
                                          "boolean", "object",  "array"};
  std::vector<std::string> names;
  for (const auto& member : declared.get_object()) {
    const std::string name(member.key());
    const std::string pointer = "/parameters/" + name;
    names.push_back(name);
    const std::string type(text_or(member.value(), "type", ""));
    const Json* value = find(member.value(), "default");
    const Json* given = overrides.if_contains(name);
    if (!type.empty() && std::find(types.begin(), types.end(), type) == types.end()) {
      source.complain(pointer + "/type",
                      fmt::format("parameter '{}' has the type '{}', wanted one of {}{}", name,
                                  excerpt(type, 40), join(types, ", "), did_you_mean(type, types)),
                      1105);
      continue;
    }
    if (value == nullptr && given == nullptr) {
      source.complain(
          pointer, fmt::format("parameter '{}' has no default: give one with --set", name), 1105);
      continue;
    }
    Json chosen = given == nullptr ? *value : overriding(*given, type);
    if (!fits(type, chosen)) {
      source.complain(pointer,
                      fmt::format("parameter '{}' is {}, wanted {}", name, shown(name, chosen),
                                  type.empty() ? "a 'type' in its declaration" : type),
                      1105);
      continue;
    }
    bundle->parameters[name] = std::move(chosen);
  }
  for (const auto& member : overrides) {
    const std::string name(member.key());
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      source.complain("/parameters",
                      fmt::format("no parameter is named '{}'{}", name, hint(name, names)), 1105);
    }
  }
}

/// A gate that is misspelt must not stand open.
void read_gates(const Json& gates, Source& source, models::ModelSpec* spec) {
  const std::pair<std::string_view, double*> shares[] = {
      {"accuracy_min", &spec->accuracy_min},
      {"overall_loss_max", &spec->gates.overall_loss_max},
      {"class_loss_max", &spec->gates.class_loss_max},
      {"new_recall_min", &spec->gates.new_recall_min}};
  const std::pair<std::string_view, std::uint64_t*> counts[] = {
      {"class_rows_min", &spec->gates.class_rows_min}, {"new_rows_min", &spec->gates.new_rows_min}};
  std::size_t known = 0;
  for (const auto& [name, value] : shares) {
    const Json* given = find(gates, name);
    known += given != nullptr ? 1 : 0;
    *value = given != nullptr ? number_or(gates, name, -1) : *value;
    if (*value < 0 || *value > 1) {
      source.complain(fmt::format("/gates/{}", name),
                      fmt::format("'{}' is not a number between 0 and 1", name), 1103);
    }
  }
  for (const auto& [name, value] : counts) {
    const Json* given = find(gates, name);
    known += given != nullptr ? 1 : 0;
    const std::int64_t count = int_or(gates, name, given != nullptr ? 0 : 1);
    if (count < 1) {
      source.complain(fmt::format("/gates/{}", name),
                      fmt::format("'{}' is not a number of rows, 1 or more", name), 1103);
    } else if (given != nullptr) {
      *value = static_cast<std::uint64_t>(count);
    }
  }
  if (!gates.is_object() || gates.get_object().size() != known) {
    source.complain("/gates",
                    "'gates' takes accuracy_min, overall_loss_max, class_loss_max, class_rows_min, "
                    "new_recall_min and new_rows_min",
                    1103);
  }
}

/// Labels that people's rows may bring besides those of the data.
void read_labels(const Json& labels, Source& source, models::ModelSpec* spec) {
  constexpr std::size_t labels_max = 100;
  constexpr std::size_t label_bytes_max = 200;
  bool fits = labels.is_array() && labels.get_array().size() <= labels_max;
  for (std::size_t i = 0; fits && i < labels.get_array().size(); ++i) {
    const Json& label = labels.get_array()[i];
    fits = label.is_string() && !label.get_string().empty() &&
           label.get_string().size() <= label_bytes_max;
  }
  if (!fits) {
    source.complain("/labels",
                    fmt::format("'labels' is not a list of at most {} texts of 1 to {} bytes",
                                labels_max, label_bytes_max),
                    1190);
    return;
  }
  spec->new_labels = texts_of(&labels);
}

}  // namespace

std::optional<Needs> read_manifest(std::string_view text, const JsonObject& overrides,
                                   Bundle* bundle, std::vector<Error>* errors) {
  auto document = expr::parse_yaml(text, "aios.yaml");
  if (!document.ok()) {
    errors->push_back(std::move(document).error());
    return std::nullopt;
  }
  Source source("aios.yaml", *document, errors);
  source.only({"name", "version", "summary", "parameters", "needs", "budgets"}, 1101);
  bundle->name = source.text("name", 1101);
  bundle->version = source.text("version", 1101);
  const Json none = JsonObject();
  const Json* declared = find(document->value, "parameters");
  if (declared != nullptr && !declared->is_object()) {
    source.complain("/parameters", "'parameters' is not an object", 1105);
    declared = nullptr;
  }
  read_parameters(declared == nullptr ? none : *declared, overrides, source, bundle);
  Needs needs;
  const Json* list = find(document->value, "needs");
  if (list != nullptr &&
      source.only(*list, "/needs", "'needs'", {"connectors", "secrets", "egress"}, 1101)) {
    needs.connectors = named(*document, "/needs/connectors", find(*list, "connectors"));
    needs.secrets = named(*document, "/needs/secrets", find(*list, "secrets"));
    bundle->secrets = texts_of(find(*list, "secrets"));
  }
  return needs;
}

std::optional<ModelSource> read_model(const std::string& path, std::string_view text,
                                      std::vector<Error>* errors) {
  auto document = expr::parse_yaml(text, path);
  if (!document.ok()) {
    errors->push_back(std::move(document).error());
    return std::nullopt;
  }
  const std::size_t before = errors->size();
  Source source(path, *document, errors);
  source.only({"name", "engine", "dataset", "heldout", "owner", "intendedUse", "failureModes",
               "seed", "gates", "labels"},
              1103);
  ModelSource model;
  model.file = path;
  model.spec.name = source.text("name", 1103);
  model.spec.engine = source.text("engine", 1103);
  model.spec.owner = source.text("owner", 1103);
  model.spec.intended_use = source.text("intendedUse", 1103);
  model.spec.failure_modes = texts_of(find(document->value, "failureModes"));
  model.spec.seed = static_cast<std::uint64_t>(int_or(document->value, "seed", 1));
  model.dataset = text_or(document->value, "dataset", "");
  model.heldout = text_or(document->value, "heldout", "");
  model.spec.row_sets = {model.spec.name, stem_of(model.dataset)};
  if (const Json* gates = find(document->value, "gates"); gates != nullptr) {
    read_gates(*gates, source, &model.spec);
  }
  if (const Json* labels = find(document->value, "labels"); labels != nullptr) {
    read_labels(*labels, source, &model.spec);
  }
  if (errors->size() > before) {
    return std::nullopt;
  }
  return model;
}

}  // namespace aios::bundle
