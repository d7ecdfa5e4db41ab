// SPDX-License-Identifier: Apache-2.0
#include "bundle/bundle.h"

#include "bundle/detail/egress.h"
#include "bundle/detail/layout.h"
#include "bundle/detail/money.h"
#include "bundle/detail/names.h"
#include "bundle/detail/parse.h"

#include "connectors/delivery.h"
#include "core/crypto.h"
#include "core/text.h"
#include "expr/schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace aios::bundle {
namespace {

bool in_folder(std::string_view path, std::string_view folder, std::string_view ending) {
  return path.starts_with(folder) && path.ends_with(ending);
}

/// Sorts the files of a bundle to the modules that read them; what they cannot read goes to errors.
class Sorter {
 public:
  Sorter(Bundle* bundle, std::vector<Error>* errors) : bundle_(bundle), errors_(errors) {}

  void take(const std::string& path, const std::string& text) {
    if (in_folder(path, "workflows/", ".yaml")) {
      bundle_->workflows.push_back({path, text});
    } else if (in_folder(path, "policies/", ".rego")) {
      bundle_->policies.push_back({path, text});
    } else if (in_folder(path, "connectors/", "/connector.yaml")) {
      bundle_->connectors.push_back({path, text});
    } else if (in_folder(path, "subscriptions/", ".yaml")) {
      bundle_->subscriptions.push_back({path, text});
    } else if (in_folder(path, "forms/", ".json")) {
      take_form(path, text);
    } else if (in_folder(path, "models/", ".yaml")) {
      if (names_provider(path, text)) {
        return;  // read when the others were
      }
      auto model = read_model(path, text, errors_);
      if (model) {
        bundle_->models.push_back(std::move(*model));
      }
    } else if (in_folder(path, "sources/", ".yaml")) {
      bundle_->sources.push_back({path, text});
    } else if (in_folder(path, "knowledge/", ".md")) {
      auto article = data::read_article(path, text, errors_);
      if (article) {
        bundle_->articles.push_back(std::move(*article));
      }
    }
  }

 private:
  void take_form(const std::string& path, const std::string& text) {
    auto form = parse_json(text);
    if (!form.ok()) {
      Error error = std::move(form).error();
      const auto line = error.line();
      const auto column = error.column();
      errors_->push_back(std::move(error).at(path, line, column));
      bundle_->forms[stem_of(path)] = nullptr;  // its name is known all the same
      return;
    }
    auto schema = expr::Schema::compile(*form);
    if (!schema.ok()) {
      errors_->push_back(std::move(schema).error().at(path, 1, 1));
    }
    bundle_->forms[stem_of(path)] = std::move(*form);
  }

  Bundle* bundle_;
  std::vector<Error>* errors_;
};

void append(std::vector<Error> more, std::vector<Error>* errors) {
  std::move(more.begin(), more.end(), std::back_inserter(*errors));
}

/// Data sets that a model names must be readable.
void check_models(const Bundle& bundle, std::vector<Error>* errors) {
  for (const ModelSource& model : bundle.models) {
    for (const std::string& path : {model.dataset, model.heldout}) {
      const auto file = bundle.files.find(path);
      if (file == bundle.files.end()) {
        continue;  // none is named, or check_references() says that it is missing
      }
      auto examples = models::read_examples(file->second, path);
      if (!examples.ok()) {
        errors->push_back(std::move(examples).error());
      }
    }
  }
}

std::string digest_of(const Bundle& bundle) {
  std::string all;
  for (const auto& [path, text] : bundle.files) {
    all += path + '\0' + to_hex(view(sha256(text))) + '\n';
  }
  all += to_text(Json(bundle.parameters));
  return to_hex(view(sha256(all)));
}

/// Every module's own check; nothing is installed.
void check_parts(const Bundle& bundle, const workflow::FunctionRegistry& functions,
                 Checked* checked) {
  std::vector<Error>* errors = &checked->errors;
  append(workflow::Engine::check(bundle.workflows, functions), errors);
  append(connectors::Connectors::check(bundle.connectors, bundle.parameters), errors);
  append(connectors::Deliveries::check(bundle.subscriptions, bundle.parameters), errors);
  check_models(bundle, errors);
  append(data::check_ids(bundle.articles), errors);
  govern::Guard guard;
  auto loaded = guard.load(default_tenant(), bundle.policies, bundle.parameters);
  check_references(bundle, loaded.ok() ? &guard : nullptr, checked);
  check_http_calls(bundle, checked);
  check_contents(bundle, checked);
  check_layout(bundle, checked);
  if (loaded.ok() && !bundle.policies.empty()) {
    check_guarded(bundle, guard, checked);
    check_triggers(bundle, guard, checked);
  }
  if (!loaded.ok()) {
    errors->push_back(std::move(loaded).error());
  }
}

}  // namespace

Checked check_bundle(Files files, const JsonObject& overrides,
                     const workflow::FunctionRegistry& functions,
                     const CheckSources& check_sources) {
  Checked checked;
  const auto manifest = files.find("aios.yaml");
  if (manifest == files.end()) {
    checked.errors.push_back(
        Error(Code::not_found, "the bundle has no aios.yaml at its top").page(1101));
    return checked;
  }
  Bundle bundle;
  auto needs = read_manifest(manifest->second, overrides, &bundle, &checked.errors);
  if (!needs) {
    return checked;  // without parameters and needs, what is said of the others may be wrong
  }
  Sorter sorter(&bundle, &checked.errors);
  for (const auto& [path, text] : files) {
    sorter.take(path, text);
  }
  bundle.files = std::move(files);
  read_hosted_models(&bundle, &checked);
  read_budgets(&bundle, &checked);
  read_egress(&bundle, &checked);
  CheckedSourceTexts sources;
  if (check_sources) {
    sources = check_sources(bundle.sources, bundle.parameters);
    append(std::move(sources.errors), &checked.errors);
  }
  check_needs(*needs, bundle, sources, &checked);
  check_parts(bundle, functions, &checked);
  if (!checked.errors.empty()) {
    return checked;
  }
  bundle.digest = digest_of(bundle);
  checked.bundle = std::move(bundle);
  return checked;
}

}  // namespace aios::bundle
