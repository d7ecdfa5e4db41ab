// SPDX-License-Identifier: Apache-2.0
// What people do with a question: claim, answer, approve, send back, assign, release.
#include "api/detail/reviews.h"

#include "api/detail/key_names.h"
#include "api/detail/operation.h"
#include "core/text.h"
#include "runtime/executor.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace aios::api {
namespace {

using Answer = Result<net::Response>;

Time now() { return runtime::Executor::current()->clock().now(); }

}  // namespace

bool may_see_reviews(const Context& ctx) {
  using govern::Action;
  return govern::Identity::allow(ctx, Action::answer_reviews).ok() ||
         govern::Identity::allow(ctx, Action::read_payloads).ok();
}

void put_present(const review::ReviewInfo& review, JsonObject& out) {
  if (review.waits() && review.due && *review.due <= now()) {
    out["overdue"] = true;
  }
  if (review.claim_at(now()) == nullptr) {
    out.erase("claimed_by");
    out.erase("claimed_until");
  }
}

Json visible(const ApiServices& services, const Context& ctx, const review::ReviewInfo& review) {
  Json out = may_see_reviews(ctx) ? review.to_json() : review.summary_json();
  out.as_object()["form_schema"] = review.form_schema;
  put_present(review, out.as_object());
  const KeyNames names(services.identity, ctx.tenant);
  names.put(out.as_object(), {"claimed_by", "proposed_by", "answered_by", "approved_by"});
  return out;
}

net::Response shown(const ApiServices& services, const Context& ctx,
                    const review::ReviewInfo& review) {
  auto response = net::json_response(200, visible(services, ctx, review));
  response.headers.set("ETag", fmt::format("\"{}\"", review.version));
  return response;
}

namespace {

Error bad_body(std::string message) {
  return Error(Code::invalid_argument, std::move(message)).page(1301);
}

/// What every call that changes a review may say of it: the version that was seen, in the body or
/// as If-Match: "7".
Result<std::uint64_t> version_of(const net::Request& request, const JsonObject& body) {
  const Json* given = body.if_contains("version");
  if (given != nullptr && !(given->is_int64() && given->get_int64() > 0)) {
    return bad_body("member 'version' is no whole number above 0");
  }
  if (given != nullptr) {
    return static_cast<std::uint64_t>(given->get_int64());
  }
  std::string_view tag = request.headers.get("if-match");
  if (tag.empty() || tag == "*") {
    return std::uint64_t{0};
  }
  std::uint64_t version = 0;
  const bool quoted = tag.size() > 2 && tag.front() == '"' && tag.back() == '"';
  tag = quoted ? tag.substr(1, tag.size() - 2) : tag;
  const auto read = std::from_chars(tag.data(), tag.data() + tag.size(), version);
  if (!quoted || read.ec != std::errc() || read.ptr != tag.data() + tag.size() || version == 0) {
    return bad_body("header If-Match is not the ETag of a review, such as \"7\"");
  }
  return version;
}

/// An empty body is an empty object: most of what is asked of a review needs nothing else.
Result<JsonObject> optional_body(const net::Request& request) {
  return request.body.empty() ? Result<JsonObject>(JsonObject()) : body_object(request);
}

Result<Duration> lease_of(const JsonObject& body) {
  const std::string_view text = text_or(body, "lease", "");
  return text.empty() ? Result<Duration>(review::lease_default) : parse_iso_duration(text);
}

/// What somebody says of a review, with the rest of the body.
struct Saying {
  review::Said said;
  JsonObject body;
};
using Reader = Result<Saying> (*)(const net::Request& request);

Result<Saying> read_answer(const net::Request& request) {
  auto body = body_object(request);
  if (!body.ok()) {
    return std::move(body).error();
  }
  const Json* given = body->if_contains("answer");
  if (given == nullptr || !given->is_object()) {
    return bad_body("member 'answer' is missing or not an object");
  }
  review::Said said;
  said.answer = *given;
  return Saying{std::move(said), std::move(*body)};
}

Result<Saying> read_approval(const net::Request& request) {
  auto body = optional_body(request);
  if (!body.ok()) {
    return std::move(body).error();
  }
  review::Said said;
  said.word = review::Said::Word::approve;
  return Saying{std::move(said), std::move(*body)};
}

Result<Saying> read_sending_back(const net::Request& request) {
  auto body = body_with_text(request, "reason");
  if (!body.ok()) {
    return std::move(body).error();
  }
  review::Said said;
  said.word = review::Said::Word::send_back;
  said.reason = std::move(body->text);
  return Saying{std::move(said), std::move(body->body)};
}

Result<Saying> read_assignment(const net::Request& request) {
  auto body = body_object(request);
  if (!body.ok()) {
    return std::move(body).error();
  }
  const Json* given = body->if_contains("assignees");
  if (given == nullptr || !given->is_array()) {
    return bad_body("member 'assignees' is missing or not a list");
  }
  review::Said said;
  said.word = review::Said::Word::assign;
  said.roles = texts_of(given);
  return Saying{std::move(said), std::move(*body)};
}

/// Says it and shows what became of the review.
Task<Answer> tell(const ApiServices& services, Context ctx, net::Request request, Reader read) {
  auto saying = read(request);
  if (!saying.ok()) {
    co_return std::move(saying).error();
  }
  auto version = version_of(request, saying->body);
  if (!version.ok()) {
    co_return std::move(version).error();
  }
  if (auto held = held_back(services, ctx)) {
    co_return *std::move(held);
  }
  review::Said said = std::move(saying->said);
  said.version = *version;
  const std::string id(request.path_value("id"));
  auto done = co_await services.engine->tell(ctx, id, std::move(said));
  if (!done.ok()) {
    co_return std::move(done).error();
  }
  auto review = co_await services.reviews->get(ctx, id);
  if (!review.ok()) {
    co_return std::move(review).error();
  }
  co_return shown(services, ctx, *review);
}

}  // namespace

Task<Answer> answer_review(const ApiServices& services, Context ctx, net::Request request) {
  return tell(services, std::move(ctx), std::move(request), read_answer);
}

Task<Answer> approve_review(const ApiServices& services, Context ctx, net::Request request) {
  return tell(services, std::move(ctx), std::move(request), read_approval);
}

Task<Answer> send_back_review(const ApiServices& services, Context ctx, net::Request request) {
  return tell(services, std::move(ctx), std::move(request), read_sending_back);
}

Task<Answer> assign_review(const ApiServices& services, Context ctx, net::Request request) {
  return tell(services, std::move(ctx), std::move(request), read_assignment);
}

Task<Answer> claim_review(const ApiServices& services, Context ctx, net::Request request) {
  auto body = optional_body(request);
  if (!body.ok()) {
    co_return std::move(body).error();
  }
  auto version = version_of(request, *body);
  if (!version.ok()) {
    co_return std::move(version).error();
  }
  auto lease = lease_of(*body);
  if (!lease.ok()) {
    co_return std::move(lease).error();
  }
  std::string id(request.path_value("id"));
  auto claimed = co_await services.reviews->claim(ctx, std::move(id), *lease, *version);
  if (!claimed.ok()) {
    co_return std::move(claimed).error();
  }
  co_return shown(services, ctx, *claimed);
}

Task<Answer> claim_next_review(const ApiServices& services, Context ctx, net::Request request) {
  auto body = optional_body(request);
  if (!body.ok()) {
    co_return std::move(body).error();
  }
  auto lease = lease_of(*body);
  if (!lease.ok()) {
    co_return std::move(lease).error();
  }
  review::QueueQuery query;
  query.workflow = text_or(*body, "workflow", "");
  auto claimed = co_await services.reviews->claim_next(ctx, std::move(query), *lease);
  if (!claimed.ok()) {
    co_return std::move(claimed).error();
  }
  co_return shown(services, ctx, *claimed);
}

Task<Answer> release_review(const ApiServices& services, Context ctx, net::Request request) {
  auto body = optional_body(request);
  if (!body.ok()) {
    co_return std::move(body).error();
  }
  auto version = version_of(request, *body);
  if (!version.ok()) {
    co_return std::move(version).error();
  }
  std::string id(request.path_value("id"));
  std::string reason(text_or(*body, "reason", ""));
  auto released =
      co_await services.reviews->release(ctx, std::move(id), std::move(reason), *version);
  if (!released.ok()) {
    co_return std::move(released).error();
  }
  co_return shown(services, ctx, *released);
}

}  // namespace aios::api
