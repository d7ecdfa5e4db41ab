// SPDX-License-Identifier: Apache-2.0
// models/*.yaml with `provider`: a model of somebody else's, with where it is, what it may answer
// and what it costs.
#include "bundle/detail/money.h"
#include "bundle/detail/names.h"
#include "bundle/detail/steps.h"

#include "core/text.h"
#include "core/time.h"
#include "expr/yaml.h"
#include "gateway/hosted.h"
#include "govern/budget.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

namespace aios::bundle {
namespace {

constexpr int page_hosted = 1130;
constexpr std::string_view schema = R"({
  "type": "object", "additionalProperties": false,
  "required": ["name", "provider", "url", "model", "region", "secret", "price", "owner",
               "intendedUse"],
  "properties": {
    "name": {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,59}$"},
    "provider": {"type": "string", "minLength": 1},
    "url": {"type": "string", "minLength": 1},
    "model": {"type": "string", "minLength": 1, "maxLength": 200},
    "region": {"type": "string", "minLength": 1, "maxLength": 40},
    "secret": {"type": "string", "minLength": 1},
    "labels": {"type": "array", "minItems": 2, "maxItems": 500, "uniqueItems": true,
               "items": {"type": "string", "minLength": 1, "maxLength": 100}},
    "labelsOf": {"type": "string", "minLength": 1},
    "instructions": {"type": "string", "maxLength": 20000},
    "temperature": {"type": "number", "minimum": 0, "maximum": 2},
    "price": {
      "type": "object", "additionalProperties": false,
      "required": ["currency", "inputPerMillion", "outputPerMillion"],
      "properties": {"currency": {"type": "string", "pattern": "^[A-Z]{3}$"},
                     "inputPerMillion": {"type": ["number", "string"]},
                     "outputPerMillion": {"type": ["number", "string"]}}},
    "timeout": {"type": "string"},
    "limits": {
      "type": "object", "additionalProperties": false,
      "properties": {
        "outputTokens": {"type": "integer", "minimum": 1, "maximum": 100000},
        "retries": {"type": "integer", "minimum": 0, "maximum": 10},
        "breaker": {"type": "object", "additionalProperties": false,
                    "properties": {"failures": {"type": "integer", "minimum": 1, "maximum": 1000},
                                   "openFor": {"type": "string"}}}}},
    "owner": {"type": "string", "minLength": 1},
    "intendedUse": {"type": "string", "minLength": 1},
    "failureModes": {"type": "array", "items": {"type": "string"}}
  }})";

/// One file, being read.
class Reader {
 public:
  Reader(const std::string& path, const expr::YamlDocument& document, const Bundle& bundle,
         Checked* checked)
      : file_(path),
        document_(document),
        bundle_(bundle),
        checked_(checked) {}

  std::optional<gateway::HostedModel> read() {
    const std::size_t before = checked_->errors.size();
    const Complain told = [this](const std::string& pointer, std::string message) {
      complain(pointer, std::move(message));
    };
    value_ = with_parameters(document_.value, bundle_.parameters, told);
    if (checked_->errors.size() > before || !fits_schema(schema, value_, told)) {
      return std::nullopt;
    }
    gateway::HostedModel model;
    model.alias = text_or(value_, "name", "");
    model.provider = text_or(value_, "provider", "");
    model.options = options();
    model.price = price();
    model.timeout = duration("/timeout", model.timeout);
    const Json* limits = find(value_, "limits");
    if (limits != nullptr) {
      model.backoff.retries_max =
          static_cast<std::uint32_t>(int_or(*limits, "retries", model.backoff.retries_max));
      if (const Json* breaker = find(*limits, "breaker"); breaker != nullptr) {
        model.breaker.failures_max =
            static_cast<std::uint32_t>(int_or(*breaker, "failures", model.breaker.failures_max));
        model.breaker.open_for = duration("/limits/breaker/openFor", model.breaker.open_for);
      }
    }
    if (checked_->errors.size() == before) {
      check_options(model);
    }
    return checked_->errors.size() == before ? std::optional(std::move(model)) : std::nullopt;
  }

 private:
  void complain(std::string_view pointer, std::string message) {
    complain(pointer, Error(Code::invalid_argument, std::move(message)).page(page_hosted));
  }
  void complain(std::string_view pointer, Error error) {
    const expr::Position place = document_.positions.of(pointer);
    checked_->errors.push_back(std::move(error).at(file_, place.line, place.column));
  }

  JsonObject options() {
    JsonObject out;
    for (const char* member :
         {"name", "url", "model", "region", "secret", "instructions", "temperature"}) {
      if (const Json* given = find(value_, member); given != nullptr) {
        out[member] = *given;
      }
    }
    if (const Json* most = at_pointer(value_, "/limits/outputTokens"); most != nullptr) {
      out["outputTokensMax"] = *most;
    }
    out["labels"] = labels();
    return out;
  }

  Json labels() {
    const Json* own = find(value_, "labels");
    const Json* of = find(value_, "labelsOf");
    if ((own == nullptr) == (of == nullptr)) {
      complain("", own == nullptr ? "wanted 'labels' (a list) or 'labelsOf' (another model of this "
                                    "bundle): what the model may answer"
                                  : "found 'labels' and 'labelsOf', wanted one of them");
      return JsonArray();
    }
    if (own != nullptr) {
      return *own;
    }
    const std::string name(view(of->get_string()));
    std::vector<std::string> names;
    for (const LabelSet& set : label_sets_of(bundle_)) {
      names.push_back(set.names.front());
      if (set.names.front() == name) {
        JsonArray out;
        for (const std::string& label : set.labels) {
          out.emplace_back(label);
        }
        return out;
      }
    }
    complain("/labelsOf",
             fmt::format("no model of the bundle is named '{}', or its data set cannot "
                         "be read{}",
                         excerpt(name, 60), hint(name, names)));
    return JsonArray();
  }

  gateway::Price price() {
    gateway::Price out;
    out.currency = text_or(value_.at("price"), "currency", "");
    for (auto [member, slot] : {std::pair("inputPerMillion", &out.input_nano_per_million),
                                std::pair("outputPerMillion", &out.output_nano_per_million)}) {
      auto nano = govern::nano_of(*find(value_.at("price"), member));
      if (nano.ok()) {
        *slot = *nano;
      } else {
        complain(fmt::format("/price/{}", member), std::move(nano).error());
      }
    }
    return out;
  }

  Duration duration(const std::string& pointer, Duration otherwise) {
    const Json* given = at_pointer(value_, pointer);
    if (given == nullptr) {
      return otherwise;
    }
    auto parsed = parse_iso_duration(view(given->get_string()));
    if (!parsed.ok() || *parsed <= Duration(0) || *parsed > std::chrono::minutes(10)) {
      complain(pointer, fmt::format("found '{}', wanted a duration above zero and of at most ten "
                                    "minutes, such as PT5S",
                                    excerpt(view(given->get_string()), 40)));
      return otherwise;
    }
    return *parsed;
  }

  /// The provider's own word, at the member it is most likely about.
  void check_options(const gateway::HostedModel& model) {
    auto made = gateway::Hosted::check(model);
    if (made.ok()) {
      return;
    }
    const bool about_provider = made.error().message().starts_with("no provider");
    complain(about_provider ? "/provider" : "/url", std::move(made).error());
  }

  const std::string& file_;
  const expr::YamlDocument& document_;
  const Bundle& bundle_;
  Checked* checked_;
  Json value_;
};

bool is_model(std::string_view path) {
  return path.starts_with("models/") && path.ends_with(".yaml");
}

}  // namespace

bool names_provider(const std::string& path, std::string_view text) {
  const auto document = expr::parse_yaml(text, path);
  return document.ok() && find(document->value, "provider") != nullptr;
}

void read_hosted_models(Bundle* bundle, Checked* checked) {
  std::map<std::string, std::string> owners;  // name -> file
  for (const ModelSource& model : bundle->models) {
    owners.emplace(model.spec.name, model.file);
  }
  for (const auto& [path, text] : bundle->files) {
    if (!is_model(path) || !names_provider(path, text)) {
      continue;
    }
    const auto document = expr::parse_yaml(text, path);
    auto model = Reader(path, *document, *bundle, checked).read();
    if (!model) {
      continue;
    }
    const auto [owner, fresh] = owners.emplace(model->alias, path);
    if (!fresh) {
      const expr::Position place = document->positions.of("/name");
      checked->errors.push_back(
          Error(Code::invalid_argument,
                fmt::format("the model in {} is named '{}' already", owner->second, model->alias))
              .page(page_hosted)
              .at(path, place.line, place.column));
      continue;
    }
    bundle->hosted.push_back(std::move(*model));
  }
}

std::vector<Named> secrets_of_models(const Bundle& bundle) {
  std::vector<Named> out;
  for (const auto& [path, text] : bundle.files) {
    if (!is_model(path) || !names_provider(path, text)) {
      continue;
    }
    const auto document = expr::parse_yaml(text, path);
    const Json* secret = find(document->value, "secret");
    if (secret != nullptr && secret->is_string()) {
      const expr::Position place = document->positions.of("/secret");
      out.push_back({std::string(view(secret->get_string())), path, place.line, place.column});
    }
  }
  return out;
}

}  // namespace aios::bundle
