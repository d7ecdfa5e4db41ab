// SPDX-License-Identifier: Apache-2.0
// What a model learns from people, and how its versions fare: rows, comparisons, advice.
#include "models/learning.h"
#include "api/detail/key_names.h"
#include "api/detail/operation.h"
#include "core/text.h"
#include "models/advice.h"
#include "models/comparison.h"

#include <charconv>

namespace aios::api {
namespace {

using Answer = Result<net::Response>;

/// A version number of the path or the query; `absent` where none is given.
Result<std::uint32_t> version_of(std::string_view text, std::uint32_t absent) {
  std::uint32_t number = absent;
  const char* end = text.data() + text.size();
  if (!text.empty() && (std::from_chars(text.data(), end, number).ptr != end || number == 0)) {
    return Error(Code::invalid_argument,
                 fmt::format("'{}' is not a version number (1 or more)", excerpt(text, 40)))
        .page(1301);
  }
  return number;
}

Json verdicts_json(const ApiServices& services, const Context& ctx,
                   const std::vector<models::RowVerdict>& verdicts) {
  const KeyNames names(services.identity, ctx.tenant);
  JsonArray items;
  for (const models::RowVerdict& verdict : verdicts) {
    Json item = to_json(verdict);
    names.put(item.as_object(), {"by", "accepted_by"});
    items.push_back(std::move(item));
  }
  return JsonObject{{"items", std::move(items)}};
}

Task<Answer> list_rows(const ApiServices& services, Context ctx, net::Request request) {
  auto version = version_of(request.path_value("version"), 0);
  if (!version.ok()) {
    co_return std::move(version).error();
  }
  std::string name(request.path_value("name"));
  auto verdicts = co_await services.models->rows_of(ctx, std::move(name), *version);
  if (!verdicts.ok()) {
    co_return std::move(verdicts).error();
  }
  co_return net::json_response(200, verdicts_json(services, ctx, *verdicts));
}

Task<Answer> screen_rows(const ApiServices& services, Context ctx, net::Request request) {
  auto input = services.deployments->training_input(ctx.tenant, request.path_value("name"));
  if (!input.ok()) {
    co_return std::move(input).error();
  }
  ctx.deadline = Instant::never();  // bounded by the data set, and cancelled with the server
  auto verdicts = co_await services.models->screen_rows(
      ctx, std::move(input->spec), std::move(input->examples), std::move(input->heldout));
  if (!verdicts.ok()) {
    co_return std::move(verdicts).error();
  }
  co_return net::json_response(200, verdicts_json(services, ctx, *verdicts));
}

Task<Answer> accept_rows(const ApiServices& services, Context ctx, net::Request request) {
  auto body = body_object(request);
  if (!body.ok()) {
    co_return std::move(body).error();
  }
  std::vector<std::string> ids = texts_of(body->if_contains("rows"));
  if (ids.empty()) {
    co_return Error(Code::invalid_argument, "member 'rows' is not a list with at least one id")
        .page(1301);
  }
  auto input = services.deployments->training_input(ctx.tenant, request.path_value("name"));
  if (!input.ok()) {
    co_return std::move(input).error();
  }
  auto accepted =
      co_await services.models->accept_rows(ctx, std::move(input->spec), std::move(ids));
  if (!accepted.ok()) {
    co_return std::move(accepted).error();
  }
  co_return net::json_response(200, JsonObject{{"accepted", *body->if_contains("rows")}});
}

Task<Answer> compare_models(const ApiServices& services, Context ctx, net::Request request) {
  auto challenger = version_of(query_text(request, "challenger"), 0);
  if (!challenger.ok()) {
    co_return std::move(challenger).error();
  }
  auto champion = version_of(query_text(request, "champion"), 0);
  if (!champion.ok()) {
    co_return std::move(champion).error();
  }
  std::string name(request.path_value("name"));
  auto compared = co_await services.models->compare(ctx, std::move(name), *challenger, *champion);
  if (!compared.ok()) {
    co_return std::move(compared).error();
  }
  co_return net::json_response(200, to_json(*compared));
}

Task<Answer> advise_model(const ApiServices& services, Context ctx, net::Request request) {
  auto body = body_object(request);
  if (!body.ok()) {
    co_return std::move(body).error();
  }
  const Json document = std::move(*body);
  const std::int64_t version = int_or(document, "version", 0);
  if (version < 0 || version > UINT32_MAX) {
    co_return Error(Code::invalid_argument, "member 'version' is not a version number (1 or more)")
        .page(1301);
  }
  models::AdviceWish wish;
  wish.error_max = number_or(document, "error_max", wish.error_max);
  wish.out_of_scope_max = number_or(document, "out_of_scope_max", wish.out_of_scope_max);
  wish.out_of_scope = texts_of(find(document, "out_of_scope"));
  std::string name(request.path_value("name"));
  auto advice = co_await services.models->advise(
      ctx, std::move(name), static_cast<std::uint32_t>(version), std::move(wish));
  if (!advice.ok()) {
    co_return std::move(advice).error();
  }
  co_return net::json_response(200, to_json(*advice));
}

constexpr QueryParameter compare_query[] = {
    {.name = "challenger", .summary = "The version that wants to serve.", .absent_means = "1"},
    {.name = "champion",
     .summary = "The version to hold it against; without one, what served when it was trained."}};

constexpr std::string_view compared_schema = R"({
  "type": "object", "required": ["model", "challenger", "champion", "rows", "classes", "passed"],
  "properties": {"passed": {"type": "boolean"}, "losses": {"type": "array"}}})";

}  // namespace

void mount_learning(net::Router& router, const ApiServices& services) {
  using govern::Action;
  const Operation operations[] = {
      {"GET", "/api/v1/models/{name}/versions/{version}/corrections", "listLearntRows",
       "What became of people's rows in a version: learnt, kept back, refused and why.",
       Action::read_models, list_rows, "", page_schema},
      {"POST", "/api/v1/models/{name}/corrections/screen", "screenRows",
       "What would become of people's rows in a training now; registers nothing.",
       Action::train_models, screen_rows, "", page_schema},
      {"POST", "/api/v1/models/{name}/corrections/accept", "acceptRows",
       "Takes rows in spite of a refusal; not by who made them.", Action::promote_models,
       accept_rows,
       R"({"type": "object", "required": ["rows"],
           "properties": {"rows": {"type": "array", "items": {"type": "string"}}}})",
       object_schema},
      {"GET", "/api/v1/models/{name}/compare", "compareModels",
       "Two versions on the same held-out rows, row by row.", Action::read_models, compare_models,
       "", compared_schema, compare_query},
      {"POST",
       "/api/v1/models/{name}/advise",
       "adviseModel",
       "Share of answers without a person and how often they are wrong, by floor.",
       Action::read_models,
       advise_model,
       R"({"type": "object", "properties": {"version": {"type": "integer"},
           "error_max": {"type": "number"}, "out_of_scope_max": {"type": "number"},
           "out_of_scope": {"type": "array", "items": {"type": "string"}}}})",
       object_schema,
       {},
       std::size_t{8} << 20},
  };
  for (const auto& operation : operations) {
    add(router, services, operation);
  }
}

}  // namespace aios::api
