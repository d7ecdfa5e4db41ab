// SPDX-License-Identifier: Apache-2.0
#pragma once
// api/detail/reviews: how a review is shown, and what people do with one.

#include "api/api.h"
#include "core/json.h"
#include "net/http.h"
#include "review/review_info.h"

namespace aios::api {

/// Whether the caller may see what is sealed: title, evidence, answers.
bool may_see_reviews(const Context& ctx);
/// What time makes of it: `overdue` is there when it is, a claim while it holds.
void put_present(const review::ReviewInfo& review, JsonObject& out);
/// What a person is shown and says is payload, the title too, which a workflow may put together:
/// only for those who may answer or read payloads. Others get what a list has, and the form.
Json visible(const ApiServices& services, const Context& ctx, const review::ReviewInfo& review);
/// The same as an answer, with its version as ETag.
net::Response shown(const ApiServices& services, const Context& ctx,
                    const review::ReviewInfo& review);

Task<Result<net::Response>> answer_review(const ApiServices& services, Context ctx,
                                          net::Request request);
Task<Result<net::Response>> approve_review(const ApiServices& services, Context ctx,
                                           net::Request request);
Task<Result<net::Response>> send_back_review(const ApiServices& services, Context ctx,
                                             net::Request request);
Task<Result<net::Response>> assign_review(const ApiServices& services, Context ctx,
                                          net::Request request);
Task<Result<net::Response>> claim_review(const ApiServices& services, Context ctx,
                                         net::Request request);
Task<Result<net::Response>> claim_next_review(const ApiServices& services, Context ctx,
                                              net::Request request);
Task<Result<net::Response>> release_review(const ApiServices& services, Context ctx,
                                           net::Request request);

}  // namespace aios::api
