// SPDX-License-Identifier: Apache-2.0
#include "api/detail/operation.h"

#include "runtime/executor.h"

namespace aios::api {
namespace {

using Answer = Result<net::Response>;

/// What a person is shown and says is payload, the title too, which a workflow may put together:
/// only for those who may answer or read payloads. Others get what is listed here.
Json visible(const Context& ctx, const review::ReviewInfo& review) {
  using govern::Action;
  Json out = review.to_json();
  const Time now = runtime::Executor::current()->clock().now();
  if (review.status == "open" && review.due && *review.due < now) {
    out.as_object()["overdue"] = true;
  }
  const bool may = govern::Identity::allow(*ctx.principal, Action::answer_reviews).ok() ||
                   govern::Identity::allow(*ctx.principal, Action::read_payloads).ok();
  if (may) {
    return out;
  }
  JsonObject clear;
  for (const char* member :
       {"id", "form", "status", "run", "step", "assignees", "form_schema", "dataset", "created",
        "due", "overdue", "answered", "answered_by", "corrected", "version", "erased"}) {
    if (const Json* value = find(out, member); value != nullptr) {
      clear[member] = *value;
    }
  }
  return clear;
}

Task<Answer> list_reviews(const ApiServices& services, Context ctx, net::Request request) {
  const std::uint32_t limit = limit_of(request);
  std::string status(query_text(request, "status"));
  std::string after(query_text(request, "after"));
  auto reviews = co_await services.reviews->list(ctx, std::move(status), std::move(after), limit);
  if (!reviews.ok()) {
    co_return std::move(reviews).error();
  }
  JsonArray items;
  for (const auto& review : *reviews) {
    items.push_back(visible(ctx, review));
  }
  const std::string last = reviews->empty() ? "" : reviews->back().id;
  co_return net::json_response(200, page_of(std::move(items), last, limit));
}

Task<Answer> get_review(const ApiServices& services, Context ctx, net::Request request) {
  std::string id(request.path_value("id"));
  auto review = co_await services.reviews->get(ctx, std::move(id));
  if (!review.ok()) {
    co_return std::move(review).error();
  }
  co_return net::json_response(200, visible(ctx, *review));
}

Task<Answer> answer_review(const ApiServices& services, Context ctx, net::Request request) {
  if (auto held = held_back(services, ctx)) {
    co_return *std::move(held);
  }
  auto body = body_object(request);
  if (!body.ok()) {
    co_return std::move(body).error();
  }
  const Json* given = body->if_contains("answer");
  if (given == nullptr || !given->is_object()) {
    co_return Error(Code::invalid_argument, "member 'answer' is missing or not an object")
        .page(1301);
  }
  const std::string id(request.path_value("id"));
  Json answer = *given;
  auto done = co_await services.engine->answer(ctx, id, std::move(answer));
  if (!done.ok()) {
    co_return std::move(done).error();
  }
  auto review = co_await services.reviews->get(ctx, id);
  if (!review.ok()) {
    co_return std::move(review).error();
  }
  co_return net::json_response(200, visible(ctx, *review));
}

Task<Answer> list_corrections(const ApiServices& services, Context ctx, net::Request request) {
  const std::uint32_t limit = limit_of(request);
  std::string dataset(query_text(request, "dataset"));
  std::string after(query_text(request, "after"));
  auto rows =
      co_await services.reviews->corrections(ctx, std::move(dataset), std::move(after), limit);
  if (!rows.ok()) {
    co_return std::move(rows).error();
  }
  JsonArray items;
  for (const auto& row : *rows) {
    items.push_back(row.to_json());
  }
  const std::string last = rows->empty() ? "" : rows->back().id;
  co_return net::json_response(200, page_of(std::move(items), last, limit));
}

constexpr std::string_view review_schema = R"({
  "type": "object", "required": ["id", "status", "run"],
  "properties": {"id": {"type": "string"}, "title": {"type": "string"}, "run": {"type": "string"},
    "status": {"enum": ["open", "answered", "cancelled"]},
    "due": {"type": "string"}, "overdue": {"type": "boolean"}}})";

constexpr QueryParameter list_query[] = {{.name = "status",
                                          .summary = "Only questions with this status.",
                                          .choices = "open|answered|cancelled"},
                                         after_parameter,
                                         limit_parameter};
constexpr QueryParameter correction_query[] = {
    {.name = "dataset", .summary = "Only rows for this data set."},
    after_parameter,
    limit_parameter};

}  // namespace

void mount_reviews(net::Router& router, const ApiServices& services) {
  using govern::Action;
  const Operation operations[] = {
      {"GET", "/api/v1/reviews", "listReviews", "Questions to people, oldest first.",
       Action::read_reviews, list_reviews, "", page_schema, list_query},
      {"GET", "/api/v1/reviews/{id}", "getReview", "One question with its evidence and form.",
       Action::read_reviews, get_review, "", review_schema},
      {"POST", "/api/v1/reviews/{id}/answer", "answerReview",
       "Answers a question; answer, correction and the run's resumption are one commit.",
       Action::answer_reviews, answer_review,
       R"({"type": "object", "required": ["answer"],
           "properties": {"answer": {"type": "object"}}})",
       review_schema},
      {"GET", "/api/v1/corrections", "listCorrections", "Labelled rows from people's answers.",
       Action::read_payloads, list_corrections, "", page_schema, correction_query},
  };
  for (const auto& operation : operations) {
    add(router, services, operation);
  }
}

}  // namespace aios::api
