// SPDX-License-Identifier: Apache-2.0
#include "api/detail/key_names.h"
#include "api/detail/operation.h"

#include "core/text.h"

#include <fmt/format.h>

namespace aios::api {
namespace {

using Answer = Result<net::Response>;

Json metrics_json(const models::Evaluation& evaluation) {
  JsonObject recalls;
  for (const auto& [label, recall] : evaluation.recall_by_label) {
    recalls[label] = recall;
  }
  JsonArray unmeasured(evaluation.unmeasured.begin(), evaluation.unmeasured.end());
  return JsonObject{{"examples", evaluation.examples},
                    {"accuracy", evaluation.accuracy},
                    {"macro_recall", evaluation.macro_recall},
                    {"log_loss", evaluation.log_loss},
                    {"calibration_error", evaluation.calibration_error},
                    {"recall_by_label", std::move(recalls)},
                    {"unmeasured", std::move(unmeasured)}};
}

Json lineage_json(const models::Lineage& lineage) {
  JsonObject labels;
  for (const auto& [label, count] : lineage.learnt_by_label) {
    labels[label] = count;
  }
  JsonArray waiting(lineage.waiting.begin(), lineage.waiting.end());
  return JsonObject{
      {"parent", lineage.parent},      {"rows_digest", lineage.rows_digest},
      {"learnt", lineage.learnt},      {"kept_back", lineage.kept_back},
      {"refused", lineage.refused},    {"held_out", lineage.held_out},
      {"leaked", lineage.leaked},      {"learnt_by_label", std::move(labels)},
      {"waiting", std::move(waiting)}, {"heldout", lineage.sent_data ? "sent" : "bundle"}};
}

Json version_json(const models::VersionInfo& info) {
  return JsonObject{{"model", info.model},
                    {"version", info.version},
                    {"engine", info.engine},
                    {"owner", info.owner},
                    {"intended_use", info.intended_use},
                    {"dataset_digest", info.dataset_digest},
                    {"heldout_digest", info.heldout_digest},
                    {"examples", info.examples},
                    {"trained_by", info.trained_by},
                    {"created", to_rfc3339(info.created)},
                    {"training", to_iso_duration(info.training)},
                    {"accuracy_min", info.accuracy_min},
                    {"lineage", lineage_json(info.lineage)},
                    {"heldout", metrics_json(info.heldout)}};
}

Json alias_json(const models::AliasInfo& info) {
  return JsonObject{{"alias", info.alias},
                    {"model", info.model},
                    {"version", info.version},
                    {"set_by", info.set_by},
                    {"since", to_rfc3339(info.since)}};
}

Task<Answer> list_aliases(const ApiServices& services, Context ctx, net::Request) {
  const KeyNames names(services.identity, ctx.tenant);
  JsonArray items;
  for (const auto& alias : services.models->aliases(ctx.tenant)) {
    Json item = alias_json(alias);
    names.put(item.as_object(), {"set_by"});
    items.push_back(std::move(item));
  }
  co_return net::json_response(200, JsonObject{{"items", std::move(items)}});
}

Task<Answer> get_model(const ApiServices& services, Context ctx, net::Request request) {
  std::string name(request.path_value("name"));
  auto versions = co_await services.models->versions(ctx, name);
  if (!versions.ok()) {
    co_return std::move(versions).error();
  }
  if (versions->empty()) {  // nothing was trained: is there such a model?
    if (auto declared = services.deployments->training_input(ctx.tenant, name); !declared.ok()) {
      co_return std::move(declared).error();
    }
  }
  JsonArray items;
  for (const auto& info : *versions) {
    items.push_back(version_json(info));
  }
  co_return net::json_response(200, JsonObject{{"name", name}, {"versions", std::move(items)}});
}

enum class People : std::uint8_t { without, with };

/// Other data than the bundle's: {"dataset": "<CSV>", "heldout": "<CSV>"}, both optional; and
/// whether people's rows are learnt from: "corrections".
Result<void> take_data(const net::Request& request, bundle::Deployments::TrainingInput* input,
                       People* people) {
  if (request.body.empty()) {
    return {};
  }
  auto body = body_object(request);
  if (!body.ok()) {
    return std::move(body).error();
  }
  const Json document = std::move(*body);
  *people = bool_or(document, "corrections", false) ? People::with : People::without;
  const std::string_view dataset = text_or(document, "dataset", "");
  if (dataset.empty() && document.get_object().if_contains("heldout") != nullptr) {
    return Error(Code::invalid_argument, "found 'heldout' without 'dataset', wanted both or none")
        .page(1301);
  }
  if (dataset.empty()) {
    return {};
  }
  auto examples = models::read_examples(dataset, "dataset");
  if (!examples.ok()) {
    return std::move(examples).error();
  }
  auto heldout = models::read_examples(text_or(document, "heldout", "text,label\n"), "heldout");
  if (!heldout.ok()) {
    return std::move(heldout).error();
  }
  input->examples = std::move(*examples);
  input->heldout = std::move(*heldout);
  input->spec.sent_data = true;
  return {};
}

Task<Answer> train_model(const ApiServices& services, Context ctx, net::Request request) {
  const std::string name(request.path_value("name"));
  auto input = services.deployments->training_input(ctx.tenant, name);
  if (!input.ok()) {
    co_return std::move(input).error();
  }
  People people = People::without;
  auto taken = take_data(request, &*input, &people);
  if (!taken.ok()) {
    co_return std::move(taken).error();
  }
  ctx.deadline =
      Instant::never();  // training is bounded by the data set, and cancelled with the server
  auto training =
      people == People::with
          ? services.models->learn(ctx, std::move(input->spec), std::move(input->examples),
                                   std::move(input->heldout))
          : services.models->train(ctx, std::move(input->spec), std::move(input->examples),
                                   std::move(input->heldout));
  auto info = co_await std::move(training);
  if (!info.ok()) {
    co_return std::move(info).error();
  }
  co_return net::json_response(201, version_json(*info));
}

Task<Answer> promote_model(const ApiServices& services, Context ctx, net::Request request) {
  auto body = body_object(request);
  if (!body.ok()) {
    co_return std::move(body).error();
  }
  const std::int64_t version = int_or(Json(*body), "version", 0);
  if (version < 1 || version > UINT32_MAX) {
    co_return Error(Code::invalid_argument, "member 'version' is not a version number (1 or more)")
        .page(1301);
  }
  std::string name(request.path_value("name"));
  std::string alias(request.path_value("alias"));
  const models::PromoteOptions options{bool_or(Json(*body), "rollback", false)};
  if (!bool_or(Json(*body), "new_alias", false)) {
    auto known = bundle::expect_known_alias(services.deployments->aliases(ctx.tenant),
                                            services.models->aliases(ctx.tenant), alias);
    if (!known.ok()) {
      co_return std::move(known).error();
    }
  }
  auto info = co_await services.models->promote(ctx, name, static_cast<std::uint32_t>(version),
                                                std::move(alias), options);
  if (!info.ok()) {
    auto declared = services.deployments->training_input(ctx.tenant, name);
    if (info.error().code() == Code::not_found && !declared.ok()) {
      co_return std::move(declared).error();  // the name is what is wrong
    }
    co_return std::move(info).error();
  }
  services.engine->peer_recovered(ctx.tenant, workflow::model_peer(info->alias));
  co_return net::json_response(200, alias_json(*info));
}

/// Named with the model that it serves, so that nobody takes away what has changed meanwhile.
Task<Answer> remove_alias(const ApiServices& services, Context ctx, net::Request request) {
  const std::string name(request.path_value("name"));
  std::string alias(request.path_value("alias"));
  for (const models::AliasInfo& serves : services.models->aliases(ctx.tenant)) {
    if (serves.alias == alias && serves.model != name) {
      co_return Error(Code::not_found, fmt::format("the alias '{}' serves '{}', wanted '{}'", alias,
                                                   serves.model, name))
          .page(705);
    }
  }
  auto unused = bundle::expect_unused_alias(services.deployments->aliases(ctx.tenant), alias);
  if (!unused.ok()) {
    co_return std::move(unused).error();
  }
  auto info = co_await services.models->remove_alias(ctx, std::move(alias));
  if (!info.ok()) {
    co_return std::move(info).error();
  }
  co_return net::json_response(200, alias_json(*info));
}

Task<Answer> predict(const ApiServices& services, Context ctx, net::Request request) {
  auto asked = body_with_text(request, "text");
  if (!asked.ok()) {
    co_return std::move(asked).error();
  }
  runtime::Executor* executor = runtime::Executor::current();
  gateway::InferRequest infer;
  infer.alias = request.path_value("name");
  infer.input = JsonObject{{"text", asked->text}};
  infer.stream = runtime::new_id("call", executor->clock(), executor->random());
  auto answer = co_await services.gateway->infer(ctx, std::move(infer));
  store::Transition transition;
  transition.tenant = ctx.tenant;
  transition.epoch = services.store->epoch();
  transition.leaves = answer.ok() ? std::move(answer->leaves) : std::move(answer).refusal().leaves;
  if (!transition.leaves.empty()) {  // an unknown alias never reaches the guard: nothing to record
    auto committed = co_await services.store->commit(ctx, std::move(transition));
    if (!committed.ok()) {
      co_return std::move(committed).error();
    }
  }
  if (!answer.ok()) {
    co_return std::move(answer).refusal().error;
  }
  co_return net::json_response(200, answer->output);
}

constexpr std::string_view version_schema = R"({
  "type": "object", "required": ["model", "version", "engine", "dataset_digest", "heldout"],
  "properties": {"model": {"type": "string"}, "version": {"type": "integer"}}})";
constexpr std::string_view alias_schema = R"({
  "type": "object", "required": ["alias", "model", "version", "set_by", "since"],
  "properties": {"alias": {"type": "string"}, "version": {"type": "integer"}}})";

}  // namespace

void mount_models(net::Router& router, const ApiServices& services) {
  using govern::Action;
  const Operation operations[] = {
      {"GET", "/api/v1/models", "listAliases", "Model aliases and the versions they serve.",
       Action::read_models, list_aliases, "", page_schema},
      {"GET", "/api/v1/models/{name}", "getModel", "A model's versions, oldest first.",
       Action::read_models, get_model, "",
       R"({"type": "object", "required": ["name", "versions"]})"},
      {"POST",
       "/api/v1/models/{name}/train",
       "trainModel",
       "Trains a model of the current bundle, on its data or on the data sent; answers when it is "
       "registered.",
       Action::train_models,
       train_model,
       R"({"type": "object", "properties": {"dataset": {"type": "string"},
           "heldout": {"type": "string"}, "corrections": {"type": "boolean"}}})",
       version_schema,
       {},
       std::size_t{64} << 20},
      {"POST", "/api/v1/models/{name}/aliases/{alias}", "promoteModel",
       "Points an alias at a version that does not lose against what it serves; not by the key "
       "that "
       "trained it.",
       Action::promote_models, promote_model,
       R"({"type": "object", "required": ["version"],
           "properties": {"version": {"type": "integer"}, "rollback": {"type": "boolean"},
                          "new_alias": {"type": "boolean"}}})",
       alias_schema},
      {"DELETE", "/api/v1/models/{name}/aliases/{alias}", "removeAlias",
       "Takes away an alias of the model that no workflow of the bundle asks.",
       Action::promote_models, remove_alias, "", alias_schema},
      {"POST", "/api/v1/models/{name}/predict", "predict",
       "Asks what an alias serves; guarded and audited like a workflow's call.", Action::start_runs,
       predict,
       R"({"type": "object", "required": ["text"], "properties": {"text": {"type": "string"}}})",
       R"({"type": "object", "required": ["label", "confidence", "version"]})"},
  };
  for (const auto& operation : operations) {
    add(router, services, operation);
  }
}

}  // namespace aios::api
