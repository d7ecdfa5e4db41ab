// SPDX-License-Identifier: Apache-2.0
#include "ingress/detail/source_reader.h"

#include "core/text.h"
#include "expr/yaml.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace aios::ingress {
namespace {

/// What every kind has. The kind's own members are put in beside these.
constexpr const char* common_form = R"({
  "type": "object",
  "required": ["kind", "name", "event"],
  "properties": {
    "kind": {"type": "string"},
    "name": {"type": "string", "pattern": "^[a-z0-9][a-z0-9-]{0,62}$"},
    "summary": {"type": "string", "maxLength": 500},
    "event": {"type": "object", "required": ["type"],
              "propertyNames": {"pattern": "^[a-z0-9]{1,20}$"}},
    "schema": {"type": ["object", "boolean"]}
  }
})";

/// One file being read.
class Reading {
 public:
  Reading(const SourceFile& file, const expr::YamlDocument& document, CheckedSources* out)
      : file_(file),
        document_(document),
        out_(out),
        before_(out->errors.size()) {}

  void complain(std::string_view pointer, std::string message) {
    add(document_.positions.of(pointer), std::move(message));
  }
  void complain_of_key(std::string_view pointer, std::string message) {
    add(document_.positions.of_key(pointer), std::move(message));
  }
  void take(Error error) { out_->errors.push_back(std::move(error)); }
  bool clean() const { return out_->errors.size() == before_; }
  const Json& root() const { return document_.value; }

  expr::PlaceOf places(std::string prefix) const {
    return [this, prefix = std::move(prefix)](std::string_view pointer, std::string_view text,
                                              std::size_t offset) {
      return document_.inside(prefix + std::string(pointer), text, offset);
    };
  }
  void note_secret(const std::string& name, std::string_view pointer) {
    const auto place = document_.positions.of(pointer);
    out_->secrets.push_back({name, file_.path, place.line, place.column});
  }

 private:
  void add(const expr::Position& place, std::string message) {
    out_->errors.push_back(Error(Code::invalid_argument, std::move(message))
                               .page(page_source)
                               .at(file_.path, place.line, place.column));
  }

  const SourceFile& file_;
  const expr::YamlDocument& document_;
  CheckedSources* out_;
  std::size_t before_;
};

Json parsed(std::string_view text) {
  auto value = parse_json(text);
  AIOS_ASSERT(value.ok());  // it stands in this program
  return std::move(*value);
}

/// The kind that a file names, when there is one that files may have.
const SourceEntry* kind_of(const SourceRegistry& registry, Reading& reading) {
  std::vector<std::string> names;
  const auto wanted = text_or(reading.root(), "kind", "");
  for (const SourceEntry& entry : registry.entries()) {
    if (!entry.form.empty()) {
      names.push_back(entry.name);
    }
    if (!entry.form.empty() && entry.name == wanted) {
      return &entry;
    }
  }
  reading.complain("/kind", wanted.empty()
                                ? fmt::format("'kind' is missing; there are: {}", join(names, ", "))
                                : fmt::format("there is no kind of source '{}'{}",
                                              excerpt(wanted, 40), hint(wanted, names)));
  return nullptr;
}

/// The kind's form with what every kind has.
Json whole_form(const SourceEntry& entry) {
  Json form = parsed(common_form);
  const Json own = parsed(entry.form);
  auto& object = form.get_object();
  if (const Json* required = find(own, "required"); required != nullptr) {
    for (const Json& name : required->get_array()) {
      object["required"].get_array().push_back(name);
    }
  }
  for (const auto& member : own.at("properties").get_object()) {
    object["properties"].get_object()[member.key()] = member.value();
  }
  for (const char* keyword : {"oneOf", "anyOf", "allOf"}) {
    if (const Json* rule = find(own, keyword); rule != nullptr) {
      object[keyword] = *rule;
    }
  }
  return form;
}

void check_members(const Json& form, Reading& reading) {
  std::vector<std::string> known;
  for (const auto& member : form.at("properties").get_object()) {
    known.emplace_back(member.key());
  }
  for (const auto& member : reading.root().get_object()) {
    const std::string name(member.key());
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      reading.complain_of_key("/" + name, fmt::format("'{}' is not known here{}", excerpt(name, 60),
                                                      hint(name, known)));
    }
  }
}

/// The document with the parameters' values in the place of expressions; `event` and `schema` are
/// looked at by themselves.
std::optional<Json> settled(const Json& params, Reading& reading) {
  JsonObject plain = reading.root().get_object();
  JsonObject apart;
  for (const char* name : {"event", "schema"}) {
    if (const auto at = plain.find(name); at != plain.end()) {
      apart[name] = at->value();
      plain[name] = nullptr;
    }
  }
  auto compiled = expr::Template::compile(Json(std::move(plain)), {{"params"}}, reading.places(""));
  if (!compiled.ok()) {
    reading.take(std::move(compiled).error());
    return std::nullopt;
  }
  const expr::Variable variables[] = {{"params", &params}};
  auto value = compiled->evaluate(Json(), variables);
  if (!value.ok()) {
    reading.complain("", value.error().message());
    return std::nullopt;
  }
  for (const auto& member : apart) {
    value->get_object()[member.key()] = member.value();
  }
  return std::move(*value);
}

void check_form(const Json& form, const Json& document, Reading& reading) {
  auto schema = expr::Schema::compile(form);
  AIOS_ASSERT(schema.ok());
  auto issues = schema->issues(document, 20);
  if (!issues.ok()) {
    reading.complain("", issues.error().message());
    return;
  }
  for (const expr::SchemaIssue& issue : *issues) {
    reading.complain(issue.instance_path, issue.message);
  }
}

/// Every name of a secret, under `secret` or in the list `secrets`.
std::vector<std::string> secrets_in(const Json& document, Reading& reading) {
  std::vector<std::string> names;
  const auto add = [&](const Json& value, const std::string& pointer) {
    if (value.is_string()) {
      names.emplace_back(view(value.get_string()));
      reading.note_secret(names.back(), pointer);
    }
  };
  if (const Json* list = find(document, "secrets"); list != nullptr && list->is_array()) {
    for (const Json& one : list->get_array()) {
      add(one, fmt::format("/secrets/{}", names.size()));
    }
  }
  return names;
}

/// The `source` that all its events have: a text without expressions, or the kind's own.
std::string owned_by(const SourceEntry& kind, const Json& document) {
  const Json* said = find(document.at("event"), "source");
  if (said == nullptr) {
    return kind.source_prefix + std::string(text_or(document, "name", ""));
  }
  auto compiled = expr::Template::compile(*said, {{"params"}});
  const bool constant = compiled.ok() && compiled->is_constant() && said->is_string();
  return constant ? std::string(view(said->get_string())) : "";
}

}  // namespace

SourceReader::SourceReader(const SourceRegistry& registry, const TenantId& tenant,
                           const JsonObject& params)
    : registry_(registry),
      tenant_(tenant),
      params_(params) {}

SourcePtr SourceReader::read(const SourceFile& file, CheckedSources* out) const {
  auto document = expr::parse_yaml(file.text, file.path);
  if (!document.ok()) {
    out->errors.push_back(std::move(document).error());
    return nullptr;
  }
  Reading reading(file, *document, out);
  if (!document->value.is_object()) {
    reading.complain("", fmt::format("the document is {}, wanted an object with 'kind' and 'name'",
                                     type_name(document->value)));
    return nullptr;
  }
  const SourceEntry* kind = kind_of(registry_, reading);
  if (kind == nullptr) {
    return nullptr;
  }
  const Json form = whole_form(*kind);
  check_members(form, reading);
  auto plain = settled(params_, reading);
  if (!plain) {
    return nullptr;
  }
  check_form(form, *plain, reading);
  if (!reading.clean()) {
    return nullptr;
  }
  expr::CompileOptions options;
  options.variables = {"params"};
  options.file = file.path;
  auto event = expr::Template::compile(plain->at("event"), options, reading.places("/event"));
  if (!event.ok()) {
    reading.take(std::move(event).error());
  }
  std::optional<expr::Schema> schema;
  if (const Json* given = find(*plain, "schema"); given != nullptr) {
    auto compiled = expr::Schema::compile(*given);
    if (compiled.ok()) {
      schema = std::move(*compiled);
    } else {
      reading.complain("/schema", compiled.error().message());
    }
  }
  auto settings = kind->read(*plain, [&reading](const std::string& pointer, std::string message) {
    reading.complain(pointer, std::move(message));
  });
  auto secrets = secrets_in(*plain, reading);
  if (!reading.clean() || !settings) {
    return nullptr;
  }
  return std::make_shared<const DeclaredSource>(DeclaredSource{
      tenant_, std::string(text_or(*plain, "name", "")), kind->name, file.path, std::move(secrets),
      std::move(settings), std::move(*event), std::move(schema), params_, owned_by(*kind, *plain)});
}

}  // namespace aios::ingress
