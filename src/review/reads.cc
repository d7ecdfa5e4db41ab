// SPDX-License-Identifier: Apache-2.0
#include "core/text.h"
#include "review/detail/desk.h"
#include "review/detail/records.h"
#include "review/review.h"
#include "runtime/one_shot.h"

#include <fmt/format.h>

namespace aios::review {
namespace {

constexpr std::uint32_t index_page = 100;  // whole reviews are read for it

}  // namespace

Task<Result<store::StreamRow>> Reviews::row(Context ctx, std::string review_id) {
  if (!is_id("rev", review_id)) {
    co_return Error(Code::not_found,
                    fmt::format("found no review '{}'; 'aios review list' shows those there are",
                                excerpt(review_id, 60)))
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

/// Reads every review that waits, once; 10,000 of them took as long as docs/benchmarks.md says.
Task<Result<void>> Reviews::index(Context ctx) {
  if (desk_->whole(ctx.tenant)) {
    co_return Result<void>();
  }
  const TenantId tenant = ctx.tenant;
  const std::uint64_t generation = desk_->begin(tenant);
  Result<void> done;
  for (const char* status : {"open", "approval"}) {
    std::string after;
    for (bool more = true; more && done.ok();) {
      auto page = co_await list(ctx, status, after, index_page);
      if (!page.ok()) {
        done = std::move(page).error().with("reading the questions that wait");
        break;
      }
      more = page->size() == index_page;
      after = page->empty() ? "" : page->back().id;
      for (ReviewInfo& info : *page) {
        desk_->put(tenant, std::move(info));
      }
      co_await runtime::yield();
    }
  }
  desk_->end(tenant, generation, done.ok());
  co_return done;
}

void Reviews::saved(const TenantId& tenant, const std::vector<store::StreamWrite>& writes) {
  for (const store::StreamWrite& write : writes) {
    if (write.kind != store::StreamKind::review) {
      continue;
    }
    auto record = detail::record_from(write);
    if (record.ok()) {
      desk_->put(tenant, std::move(record->info));
    } else {
      desk_->forget(tenant);
    }
  }
}

void Reviews::doubt(const TenantId& tenant) { desk_->forget(tenant); }

Task<Result<QueuePage>> Reviews::queue(Context ctx, QueueQuery query) {
  auto indexed = co_await index(ctx);
  if (!indexed.ok()) {
    co_return std::move(indexed).error();
  }
  co_return desk_->pick(ctx.tenant, query, clock_->now());
}

Task<Result<QueueCounts>> Reviews::counts(Context ctx) {
  auto indexed = co_await index(ctx);
  if (!indexed.ok()) {
    co_return std::move(indexed).error();
  }
  co_return desk_->counts(ctx.tenant, clock_->now());
}

}  // namespace aios::review
