// SPDX-License-Identifier: Apache-2.0
#include "core/text.h"
#include "review/detail/records.h"
#include "review/review.h"

#include <fmt/format.h>

namespace aios::review {

Task<Result<store::StreamRow>> Reviews::row(Context ctx, std::string review_id) {
  if (!is_id("rev", review_id)) {
    co_return Error(Code::not_found, fmt::format("found no review '{}'", excerpt(review_id, 60)))
        .page(600);
  }
  auto found = co_await store_->stream(std::move(ctx), store::StreamKind::review, review_id);
  if (!found.ok() && found.error().code() == Code::not_found) {
    co_return Error(Code::not_found, fmt::format("found no review '{}'", review_id)).page(600);
  }
  co_return found;
}

Task<Result<ReviewInfo>> Reviews::get(Context ctx, std::string review_id) {
  auto found = co_await row(std::move(ctx), std::move(review_id));
  if (!found.ok()) {
    co_return std::move(found).error();
  }
  auto record = detail::record_from(*found);
  if (!record.ok()) {
    co_return std::move(record).error();
  }
  co_return std::move(record->info);
}

Task<Result<std::vector<ReviewInfo>>> Reviews::list(Context ctx, std::string status,
                                                    std::string after, std::uint32_t limit) {
  store::ListQuery query;
  query.tenant = ctx.tenant;
  query.kind = store::StreamKind::review;
  query.status = std::move(status);
  query.after = std::move(after);
  query.limit = limit;
  auto rows = co_await store_->list(std::move(ctx), std::move(query));
  if (!rows.ok()) {
    co_return std::move(rows).error();
  }
  std::vector<ReviewInfo> infos;
  for (const store::StreamRow& found : *rows) {
    auto record = detail::record_from(found);
    if (!record.ok()) {
      co_return std::move(record).error();
    }
    infos.push_back(std::move(record->info));
  }
  co_return infos;
}

Task<Result<std::vector<Correction>>> Reviews::corrections(Context ctx, std::string dataset,
                                                           std::string after, std::uint32_t limit) {
  store::ListQuery query;
  query.tenant = ctx.tenant;
  query.kind = store::StreamKind::correction;
  query.label = std::move(dataset);
  query.after = std::move(after);
  query.limit = limit;
  auto rows = co_await store_->list(std::move(ctx), std::move(query));
  if (!rows.ok()) {
    co_return std::move(rows).error();
  }
  std::vector<Correction> found;
  for (const store::StreamRow& labelled : *rows) {
    auto correction = detail::correction_from(labelled);
    if (!correction.ok()) {
      co_return std::move(correction).error();
    }
    found.push_back(std::move(*correction));
  }
  co_return found;
}

}  // namespace aios::review
