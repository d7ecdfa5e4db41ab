// SPDX-License-Identifier: Apache-2.0
#include "app/commands.h"
#include "app/model_version.h"
#include "app/page.h"
#include "app/terminal.h"

#include "core/text.h"
#include "core/time.h"
#include "net/http.h"

#include <fmt/format.h>

namespace aios::app {
namespace {

struct ModelOptions {
  std::string name;
  std::string data;
  std::string heldout;
  std::string version;  ///< NAME@N
  std::string alias;
  std::string text;
  bool corrections = false;
  bool rollback = false;
  bool new_alias = false;
};

/// "PT1.017930956S" as people read it: "1.0 s".
std::string duration_text(std::string_view iso) {
  auto duration = parse_iso_duration(iso);
  if (!duration.ok()) {
    return std::string(iso);
  }
  return fmt::format("{:.1f} s", std::chrono::duration<double>(*duration).count());
}

void print_lineage(const Json& version, const Json& lineage) {
  const std::int64_t learnt = int_or(lineage, "learnt", 0);
  const std::int64_t refused = int_or(lineage, "refused", 0);
  if (learnt + refused + int_or(lineage, "kept_back", 0) > 0) {
    std::vector<std::string> labels;
    if (const Json* counts = find(lineage, "learnt_by_label"); counts != nullptr) {
      for (const auto& member : counts->as_object()) {
        labels.push_back(
            fmt::format("{} {}", std::string_view(member.key()), int_or(*counts, member.key(), 0)));
      }
    }
    fmt::print("  from people: {} learnt ({}), {} kept back to measure, {} refused\n", learnt,
               join(labels, ", "), int_or(lineage, "kept_back", 0), refused);
  }
  if (refused > 0) {
    fmt::print("  why they were refused: aios model corrections {}@{}\n",
               text_or(version, "model", ""), int_or(version, "version", 0));
  }
  const auto waiting = texts_of(find(lineage, "waiting"));
  if (!waiting.empty()) {
    fmt::print("  declared, but not in any data yet: {}\n", join(waiting, ", "));
  }
  if (int_or(lineage, "leaked", 0) > 0) {
    fmt::print("  {} lines of the data left out: the held-out set has the same texts\n",
               int_or(lineage, "leaked", 0));
  }
}

void print_version(const Json& version) {
  const Json* heldout = find(version, "heldout");
  fmt::print("{}@{}  accuracy {:.4f} on {} held-out lines, trained on {} in {}, dataset {}\n",
             text_or(version, "model", ""), int_or(version, "version", 0),
             heldout == nullptr ? 0.0 : number_or(*heldout, "accuracy", 0),
             heldout == nullptr ? 0 : int_or(*heldout, "examples", 0),
             int_or(version, "examples", 0), duration_text(text_or(version, "training", "")),
             text_or(version, "dataset_digest", "").substr(0, 12));
  if (const Json* lineage = find(version, "lineage"); lineage != nullptr) {
    print_lineage(version, *lineage);
  }
  const Json* unmeasured = heldout == nullptr ? nullptr : find(*heldout, "unmeasured");
  if (unmeasured != nullptr && unmeasured->is_array() && !unmeasured->get_array().empty()) {
    std::vector<std::string> labels;
    for (const Json& label : unmeasured->get_array()) {
      labels.emplace_back(label.is_string() ? view(label.get_string()) : "");
    }
    fmt::print("  not measured, for want of held-out lines: {}\n", join(labels, ", "));
  }
}

Result<void> train(const Session& session, const ModelOptions& options) {
  JsonObject body;
  if (!options.data.empty()) {
    auto data = read_file(options.data);
    if (!data.ok()) {
      return std::move(data).error();
    }
    body["dataset"] = *data;
  }
  if (!options.heldout.empty()) {
    auto heldout = read_file(options.heldout);
    if (!heldout.ok()) {
      return std::move(heldout).error();
    }
    body["heldout"] = *heldout;
  }
  if (options.corrections) {
    body["corrections"] = true;
  }
  tell("aios: training '{}'{}\n", options.name,
       options.corrections ? ", with people's corrections" : "");
  auto version = session.call(
      {"POST", fmt::format("/api/v1/models/{}/train", net::percent_encode(options.name)),
       body.empty() ? Json(nullptr) : Json(std::move(body))});
  if (!version.ok()) {
    return std::move(version).error();
  }
  print(session, *version, print_version);
  return {};
}

Result<void> promote(const Session& session, const ModelOptions& options) {
  const auto named = model_version(options.version, VersionPart::needed);
  if (!named.ok()) {
    return named.error();
  }
  const std::string path =
      fmt::format("/api/v1/models/{}/aliases/{}", net::percent_encode(named->name),
                  net::percent_encode(options.alias));
  JsonObject body{{"version", named->version}};
  if (options.rollback) {
    body["rollback"] = true;
  }
  if (options.new_alias) {
    body["new_alias"] = true;
  }
  auto alias = session.call({"POST", path, std::move(body)});
  if (!alias.ok()) {
    return std::move(alias).error();
  }
  print(session, *alias, [](const Json& it) {
    fmt::print("{} now serves {}@{}\n", text_or(it, "alias", ""), text_or(it, "model", ""),
               int_or(it, "version", 0));
  });
  return {};
}

/// Of the model that it serves now; where nothing serves it the server names the nearest.
Result<void> remove_alias(const Session& session, const ModelOptions& options) {
  auto aliases = session.call({"GET", "/api/v1/models", nullptr});
  if (!aliases.ok()) {
    return std::move(aliases).error();
  }
  std::string model = options.alias;
  for (const Json& one : aliases->at("items").as_array()) {
    if (text_or(one, "alias", "") == options.alias) {
      model = text_or(one, "model", "");
    }
  }
  auto gone = session.call({"DELETE",
                            fmt::format("/api/v1/models/{}/aliases/{}", net::percent_encode(model),
                                        net::percent_encode(options.alias)),
                            nullptr});
  if (!gone.ok()) {
    return std::move(gone).error();
  }
  print(session, *gone, [](const Json& it) {
    fmt::print("{} serves no more; it served {}@{}\n", text_or(it, "alias", ""),
               text_or(it, "model", ""), int_or(it, "version", 0));
  });
  return {};
}

Result<void> list(const Session& session, const ModelOptions& options) {
  if (!options.name.empty()) {
    auto model =
        session.call({"GET", "/api/v1/models/" + net::percent_encode(options.name), nullptr});
    if (!model.ok()) {
      return std::move(model).error();
    }
    print(session, *model, [](const Json& it) {
      const auto& versions = it.at("versions").as_array();
      for (const Json& version : versions) {
        print_version(version);
      }
      if (versions.empty()) {
        tell("aios: model '{}' has no version yet; 'aios model train {}' makes one\n",
             text_or(it, "name", ""), text_or(it, "name", ""));
      }
    });
    return {};
  }
  auto aliases = session.call({"GET", "/api/v1/models", nullptr});
  if (!aliases.ok()) {
    return std::move(aliases).error();
  }
  print(session, *aliases, [](const Json& page) {
    std::vector<std::vector<std::string>> rows;
    for (const Json& alias : page.at("items").as_array()) {
      rows.push_back(
          {std::string(text_or(alias, "alias", "")),
           fmt::format("{}@{}", text_or(alias, "model", ""), int_or(alias, "version", 0)),
           seconds_text(text_or(alias, "since", "")), person_name(alias, "set_by")});
    }
    if (rows.empty()) {
      tell(
          "aios: no alias serves a model yet; 'aios model train NAME' makes a version, "
          "'aios model promote NAME@VERSION ALIAS' lets an alias serve it\n");
    }
    print_table({"ALIAS", "SERVES", "SINCE", "SET BY"}, std::move(rows));
  });
  return {};
}

Result<void> predict(const Session& session, const ModelOptions& options) {
  auto answer = session.call(
      {"POST", fmt::format("/api/v1/models/{}/predict", net::percent_encode(options.alias)),
       JsonObject{{"text", options.text}}});
  if (!answer.ok()) {
    return std::move(answer).error();
  }
  print(session, *answer, [](const Json& it) {
    fmt::print("{}  {:.3f}  {}\n", text_or(it, "label", ""), number_or(it, "confidence", 0),
               text_or(it, "version", ""));
    const Json* reasons = find(it, "reasons");
    if (reasons != nullptr && reasons->is_array()) {
      for (const Json& reason : reasons->get_array()) {
        fmt::print("  {:+.3f}  {}\n", number_or(reason, "weight", 0), text_or(reason, "term", ""));
      }
    }
  });
  return {};
}

}  // namespace

void add_model_commands(Command& app, Session& session) {
  auto options = std::make_shared<ModelOptions>();
  auto* model = app.add_subcommand("model", "Train, promote and ask models")->require_subcommand();
  const auto set = [&session, options](Command* command, auto function) {
    command->callback([&session, options, function] {
      session.action = [&session, options, function] { return function(session, *options); };
    });
  };
  auto* make = model->add_subcommand("train", "Train a model of the deployed bundle");
  make->add_option("name", options->name, "Model")->required();
  auto* data =
      make->add_option("--dataset", options->data, "CSV with text,label instead of the bundle's");
  make->add_option("--heldout", options->heldout, "CSV that accuracy is measured on")->needs(data);
  make->add_flag("--with-corrections", options->corrections,
                 "Learn from people's corrections too; those that contradict are refused");
  set(make, train);
  auto* up = model->add_subcommand("promote", "Let an alias serve a version (by a second key)");
  up->add_option("version", options->version, "NAME@VERSION")->required();
  up->add_option("alias", options->alias, "Alias")->required();
  up->add_flag("--rollback", options->rollback,
               "Back to a version that served the alias before, without comparison");
  up->add_flag("--new-alias", options->new_alias,
               "The alias is a new one, which no workflow of the bundle asks yet");
  set(up, promote);
  auto* down = model->add_subcommand("remove-alias", "Take away an alias that no workflow asks");
  down->add_option("alias", options->alias, "Alias")->required();
  set(down, remove_alias);
  auto* all = model->add_subcommand("list", "Aliases, or the versions of one model");
  all->add_option("name", options->name, "Model");
  set(all, list);
  auto* ask = model->add_subcommand("predict", "Ask what an alias serves");
  ask->add_option("alias", options->alias, "Alias")->required();
  ask->add_option("text", options->text, "Text")->required();
  set(ask, predict);
  add_learning_commands(*model, session);
}

}  // namespace aios::app
