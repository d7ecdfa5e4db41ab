// SPDX-License-Identifier: Apache-2.0
// Who has a question in hand. A claim is a time in the review itself: it ends when that has come,
// with nobody to end it.
#include "core/text.h"
#include "govern/identity.h"
#include "govern/opening.h"
#include "review/detail/checks.h"
#include "review/detail/desk.h"
#include "review/detail/records.h"
#include "review/review.h"

#include <fmt/format.h>

#include <utility>

namespace aios::review {
namespace {

constexpr int attempts_max = 5;          // of a write that others overtake
constexpr std::uint32_t looks_max = 20;  // at the most urgent ones that others take first

Result<void> check_lease(Duration lease) {
  if (lease >= lease_min && lease <= lease_max) {
    return {};
  }
  using std::chrono::duration_cast;
  using std::chrono::seconds;
  return Error(Code::invalid_argument, fmt::format("found a claim of {} seconds, wanted {} to {}",
                                                   duration_cast<seconds>(lease).count(),
                                                   duration_cast<seconds>(lease_min).count(),
                                                   duration_cast<seconds>(lease_max).count()))
      .page(612);
}

Result<void> check_may_release(const Context& ctx, const ReviewInfo& info, const Claim& claim,
                               const std::string& reason) {
  if (!ctx.principal) {
    return detail::check_role(ctx, info, info.assignees);
  }
  if (claim.by == ctx.principal->id) {
    return {};
  }
  auto may = govern::Identity::allow(ctx, govern::Action::settle_runs);
  if (!may.ok()) {
    return std::move(may).error().with(
        fmt::format("releasing review {}, which '{}' has in hand", info.id, claim.by));
  }
  return detail::check_reason(reason);
}

/// Only a question that waits can be in somebody's hand.
Result<detail::Record> waiting_record(Result<store::StreamRow> found) {
  if (!found.ok()) {
    return std::move(found).error();
  }
  auto record = detail::record_from(*found);
  if (record.ok() && (record->info.erased || !record->info.waits())) {
    return detail::not_open(record->info);
  }
  return record;
}

}  // namespace

/// Of a review alone; the index learns of it.
Task<Result<void>> Reviews::commit(Context ctx, store::StreamWrite write, store::AuditLeaf leaf) {
  store::Transition transition;
  transition.tenant = ctx.tenant;
  transition.epoch = store_->epoch();
  transition.streams.push_back(write);
  transition.leaves.push_back(std::move(leaf));
  const TenantId tenant = ctx.tenant;
  auto done = co_await store_->commit(std::move(ctx), std::move(transition));
  if (done.ok()) {
    const std::vector<store::StreamWrite> writes{std::move(write)};
    saved(tenant, writes);
    co_return Result<void>();
  }
  if (done.error().code() != Code::aborted) {
    doubt(tenant);
  }
  co_return std::move(done).error();
}

Task<Result<ReviewInfo>> Reviews::claim_once(Context ctx, std::string review_id, Duration lease,
                                             std::uint64_t version) {
  auto found = co_await row(ctx, std::move(review_id));
  auto record = waiting_record(std::move(found));
  if (!record.ok()) {
    co_return std::move(record).error();
  }
  ReviewInfo& info = record->info;
  const Time now = clock_->now();
  auto may =
      detail::check_role(ctx, info, info.status == "approval" ? info.approvers : info.assignees);
  if (may.ok() && info.proposal && same_person(ctx.tenant, ctx.principal->id, info.proposal->by)) {
    may = Error(Code::permission_denied,
                fmt::format("'{}' proposed the answer of review '{}' or holds the key that did, "
                            "wanted another person",
                            ctx.principal->id, info.id))
              .page(610);
  }
  if (may.ok()) {
    may = detail::check_free(ctx, info, now);
  }
  if (may.ok()) {
    may = detail::check_version(info, version);
  }
  if (!may.ok()) {
    co_return std::move(may).error();
  }
  info.claim = Claim{ctx.principal->id, now + lease};
  auto facts = detail::leaf_facts(info, "claimed");
  facts.facts["until"] = to_rfc3339(info.claim->until);
  auto leaf = govern::make_leaf(ctx, now, facts);
  auto write = detail::to_write(
      *record, detail::claimed_event, now,
      to_text(JsonObject{{"by", info.claim->by}, {"until", to_rfc3339(info.claim->until)}}));
  auto done = co_await commit(std::move(ctx), std::move(write), std::move(leaf));
  if (!done.ok()) {
    co_return std::move(done).error();
  }
  ++info.version;
  co_return std::move(info);
}

Task<Result<ReviewInfo>> Reviews::claim(Context ctx, std::string review_id, Duration lease,
                                        std::uint64_t version) {
  auto fits = check_lease(lease);
  if (!fits.ok()) {
    co_return std::move(fits).error();
  }
  Result<ReviewInfo> done = Error(Code::aborted, "not tried yet");
  for (int attempt = 0; attempt < attempts_max; ++attempt) {
    done = co_await claim_once(ctx, review_id, lease, version);
    if (done.ok() || done.error().code() != Code::aborted || version != 0) {
      break;  // who named a version is told of the newer one, not of who was faster
    }
  }
  co_return done;
}

Task<Result<ReviewInfo>> Reviews::claim_next(Context ctx, QueueQuery query, Duration lease) {
  auto fits = check_lease(lease);
  if (!fits.ok()) {
    co_return std::move(fits).error();
  }
  auto indexed = co_await index(ctx);
  if (!indexed.ok()) {
    co_return std::move(indexed).error();
  }
  if (query.roles.empty() && ctx.principal) {
    query.roles = ctx.principal->roles;
  }
  query.order = QueueOrder::urgency;
  query.claimed = false;
  query.limit = looks_max;
  query.after.clear();
  for (int attempt = 0; attempt < attempts_max; ++attempt) {
    auto page = desk_->pick(ctx.tenant, query, clock_->now());
    if (!page.ok()) {
      co_return std::move(page).error();
    }
    for (const ReviewInfo& candidate : page->items) {
      auto claimed = co_await claim_once(ctx, candidate.id, lease, candidate.version);
      if (claimed.ok()) {
        co_return claimed;
      }
      const Code code = claimed.error().code();
      const bool taken = code == Code::aborted || code == Code::failed_precondition ||
                         code == Code::permission_denied || code == Code::not_found;
      if (!taken) {
        co_return claimed;
      }
      if (claimed.error().page() == 601 || code == Code::not_found) {
        desk_->drop(ctx.tenant, candidate.id);  // erased: nobody can answer it
      }
    }
    query.after = page->next;
    if (page->next.empty()) {
      break;
    }
  }
  co_return Error(Code::not_found, "no question waits that you may answer and nobody has in hand")
      .page(615);
}

Task<Result<ReviewInfo>> Reviews::release_once(Context ctx, std::string review_id,
                                               std::string reason, std::uint64_t version) {
  auto found = co_await row(ctx, std::move(review_id));
  auto record = waiting_record(std::move(found));
  if (!record.ok()) {
    co_return std::move(record).error();
  }
  ReviewInfo& info = record->info;
  const Time now = clock_->now();
  const Claim* held = info.claim_at(now);
  if (held == nullptr) {
    co_return Error(Code::failed_precondition,
                    fmt::format("nobody has review '{}' in hand, wanted a claim to end", info.id))
        .page(613);
  }
  auto may = check_may_release(ctx, info, *held, reason);
  if (may.ok()) {
    may = detail::check_version(info, version);
  }
  if (!may.ok()) {
    co_return std::move(may).error();
  }
  auto facts = detail::leaf_facts(info, "released");
  facts.facts["claimed_by"] = held->by;
  if (!reason.empty()) {
    facts.contents["payload"] = govern::content_of(JsonObject{{"reason", reason}});
  }
  auto leaf = govern::make_leaf(ctx, now, facts);
  JsonObject said{{"by", ctx.principal->id}, {"claimed_by", held->by}, {"reason", reason}};
  if (!leaf.salt.empty()) {
    said["openings"] = JsonArray{govern::opening_json(leaf)};
  }
  info.claim.reset();
  auto write = detail::to_write(*record, detail::released_event, now, to_text(said));
  auto done = co_await commit(std::move(ctx), std::move(write), std::move(leaf));
  if (!done.ok()) {
    co_return std::move(done).error();
  }
  ++info.version;
  co_return std::move(info);
}

Task<Result<ReviewInfo>> Reviews::release(Context ctx, std::string review_id, std::string reason,
                                          std::uint64_t version) {
  Result<ReviewInfo> done = Error(Code::aborted, "not tried yet");
  for (int attempt = 0; attempt < attempts_max; ++attempt) {
    done = co_await release_once(ctx, review_id, reason, version);
    if (done.ok() || done.error().code() != Code::aborted || version != 0) {
      break;
    }
  }
  co_return done;
}

}  // namespace aios::review
