// SPDX-License-Identifier: Apache-2.0
#include "api/detail/reviews.h"
#include "api/detail/key_names.h"
#include "api/detail/operation.h"

#include <fmt/format.h>

#include <utility>

namespace aios::api {
namespace {

using Answer = Result<net::Response>;

std::optional<bool> yes_or_no(std::string_view text) {
  return text.empty() ? std::nullopt : std::optional<bool>(text == "yes");
}

Result<review::QueueQuery> queue_query(const Context& ctx, const net::Request& request) {
  review::QueueQuery query;
  query.status = query_text(request, "status");
  query.workflow = query_text(request, "workflow");
  if (const auto role = query_text(request, "role"); !role.empty()) {
    query.roles = {std::string(role)};
  }
  query.claimed = yes_or_no(query_text(request, "claimed"));
  query.overdue = yes_or_no(query_text(request, "overdue"));
  const auto mine = yes_or_no(query_text(request, "mine"));
  if (mine.value_or(false)) {
    query.claimed_by = ctx.principal->id;
  }
  const std::string_view priority = query_text(request, "priority");
  query.priority_min = priority == "high"     ? review::priority_high
                       : priority == "normal" ? review::priority_normal
                                              : 0;
  query.order = query_text(request, "order") == "urgency" ? review::QueueOrder::urgency
                                                          : review::QueueOrder::oldest;
  query.after = query_text(request, "after");
  query.limit = limit_of(request);
  const bool filtered = mine || query.claimed || query.overdue || !query.roles.empty() ||
                        !query.workflow.empty() || query.priority_min != 0 ||
                        query.order == review::QueueOrder::urgency;
  const bool waits = query.status == "open" || query.status == "approval";
  if (filtered && !query.status.empty() && !waits) {
    return Error(Code::invalid_argument,
                 fmt::format("found status '{}' with a filter or an order, wanted open, approval "
                             "or none: only questions that wait are found so",
                             query.status))
        .page(1302);
  }
  if (filtered && query.status.empty()) {
    query.status = "*";  // both that wait
  }
  return query;
}

/// From the index: nothing is unsealed but the titles, where they are wanted.
Task<Answer> list_queue(const ApiServices& services, Context ctx, review::QueueQuery query,
                        bool titles) {
  auto page = co_await services.reviews->queue(ctx, std::move(query));
  if (!page.ok()) {
    co_return std::move(page).error();
  }
  const KeyNames names(services.identity, ctx.tenant);
  JsonArray items;
  for (const auto& review : page->items) {
    Json item = review.summary_json();
    put_present(review, item.as_object());
    names.put(item.as_object(), {"claimed_by", "proposed_by"});
    if (titles && may_see_reviews(ctx)) {
      auto whole = co_await services.reviews->get(ctx, review.id);
      if (whole.ok() && !whole->erased) {
        item.as_object()["title"] = whole->title;
      }
    }
    items.push_back(std::move(item));
  }
  JsonObject out{{"items", std::move(items)}};
  if (!page->next.empty()) {
    out["next"] = page->next;
  }
  co_return net::json_response(200, Json(std::move(out)));
}

/// Those that are closed, and all of them together, whole, as the store has them.
Task<Answer> list_stored(const ApiServices& services, Context ctx, review::QueueQuery query) {
  const std::uint32_t limit = query.limit;
  auto reviews =
      co_await services.reviews->list(ctx, std::move(query.status), std::move(query.after), limit);
  if (!reviews.ok()) {
    co_return std::move(reviews).error();
  }
  JsonArray items;
  for (const auto& review : *reviews) {
    items.push_back(visible(services, ctx, review));
  }
  const std::string last = reviews->empty() ? "" : reviews->back().id;
  co_return net::json_response(200, page_of(std::move(items), last, limit));
}

Task<Answer> list_reviews(const ApiServices& services, Context ctx, net::Request request) {
  auto query = queue_query(ctx, request);
  if (!query.ok()) {
    co_return std::move(query).error();
  }
  const bool titles = query_text(request, "titles") == "yes";
  const bool waits = query->status == "open" || query->status == "approval" || query->status == "*";
  if (!waits) {
    auto answer = co_await list_stored(services, std::move(ctx), std::move(*query));
    co_return answer;
  }
  if (query->status == "*") {
    query->status.clear();
  }
  auto answer = co_await list_queue(services, std::move(ctx), std::move(*query), titles);
  co_return answer;
}

Task<Answer> get_review(const ApiServices& services, Context ctx, net::Request request) {
  std::string id(request.path_value("id"));
  auto review = co_await services.reviews->get(ctx, std::move(id));
  if (!review.ok()) {
    co_return std::move(review).error();
  }
  co_return shown(services, ctx, *review);
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
  const KeyNames names(services.identity, ctx.tenant);
  JsonArray items;
  for (const auto& row : *rows) {
    Json item = row.to_json();
    if (Json* known = item.as_object().if_contains("correction");
        known != nullptr && known->is_object()) {
      names.put(known->get_object(), {"by", "approved_by"});
    }
    items.push_back(std::move(item));
  }
  const std::string last = rows->empty() ? "" : rows->back().id;
  co_return net::json_response(200, page_of(std::move(items), last, limit));
}

constexpr std::string_view review_schema = R"({
  "type": "object", "required": ["id", "status", "run"],
  "properties": {"id": {"type": "string"}, "title": {"type": "string"}, "run": {"type": "string"},
    "status": {"enum": ["open", "approval", "answered", "cancelled", "expired"]},
    "priority": {"type": "integer"}, "claimed_by": {"type": "string"},
    "claimed_until": {"type": "string"}, "version": {"type": "integer"},
    "due": {"type": "string"}, "overdue": {"type": "boolean"}}})";

constexpr QueryParameter list_query[] = {
    {.name = "status",
     .summary = "Only questions with this status. open and approval come from an index, without "
                "what is sealed.",
     .choices = "open|approval|answered|cancelled|expired"},
    {.name = "mine", .summary = "Only those that the caller has in hand.", .choices = "yes|no"},
    {.name = "claimed", .summary = "Whether somebody has it in hand.", .choices = "yes|no"},
    {.name = "overdue", .summary = "Whether the due time has passed.", .choices = "yes|no"},
    {.name = "role", .summary = "Only those that this role may answer, or approve."},
    {.name = "workflow", .summary = "Only those of this workflow."},
    {.name = "priority", .summary = "Of this priority at least.", .choices = "low|normal|high"},
    {.name = "order",
     .summary = "urgency: highest priority first, then the earliest due time.",
     .choices = "oldest|urgency",
     .absent_means = "oldest"},
    {.name = "titles",
     .summary = "yes: with titles, where the caller may see them; each is unsealed for it.",
     .choices = "no|yes",
     .absent_means = "no"},
    after_parameter,
    limit_parameter};
constexpr std::string_view version_schema = R"({"type": "object",
  "properties": {"version": {"type": "integer"}}})";
constexpr std::string_view claim_schema = R"({"type": "object",
  "properties": {"lease": {"type": "string"}, "version": {"type": "integer"}}})";
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
           "properties": {"answer": {"type": "object"}, "version": {"type": "integer"}}})",
       review_schema},
      {"POST", "/api/v1/reviews/{id}/claim", "claimReview",
       "Has a question in hand for a while (lease, PT15M); again: from now on.",
       Action::answer_reviews, claim_review, claim_schema, review_schema},
      {"POST", "/api/v1/reviews/next", "claimNextReview",
       "Claims the most urgent question that the caller may answer and nobody has in hand.",
       Action::answer_reviews, claim_next_review,
       R"({"type": "object", "properties": {"lease": {"type": "string"},
           "workflow": {"type": "string"}}})",
       review_schema},
      {"POST", "/api/v1/reviews/{id}/release", "releaseReview",
       "Ends a claim; another's only who operates the server, with a reason.", Action::read_reviews,
       release_review,
       R"({"type": "object", "properties": {"reason": {"type": "string"},
           "version": {"type": "integer"}}})",
       review_schema},
      {"POST", "/api/v1/reviews/{id}/approve", "approveReview",
       "Another person's word on an answer; the run goes on with it.", Action::answer_reviews,
       approve_review, version_schema, review_schema},
      {"POST", "/api/v1/reviews/{id}/send-back", "sendBackReview",
       "Does not approve an answer: the question is open again, with the reason.",
       Action::answer_reviews, send_back_review,
       R"({"type": "object", "required": ["reason"],
           "properties": {"reason": {"type": "string"}, "version": {"type": "integer"}}})",
       review_schema},
      {"POST", "/api/v1/reviews/{id}/assign", "assignReview",
       "Gives a question to other roles; policy is asked.", Action::read_reviews, assign_review,
       R"({"type": "object", "required": ["assignees"],
           "properties": {"assignees": {"type": "array", "items": {"type": "string"}},
           "version": {"type": "integer"}}})",
       review_schema},
      {"GET", "/api/v1/corrections", "listCorrections", "Labelled rows from people's answers.",
       Action::read_payloads, list_corrections, "", page_schema, correction_query},
  };
  for (const auto& operation : operations) {
    add(router, services, operation);
  }
}

}  // namespace aios::api
