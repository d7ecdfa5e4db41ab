// SPDX-License-Identifier: Apache-2.0
#include "app/work_watch.h"

#include "ingress/ingress.h"
#include "observe/metric_table.h"
#include "runtime/one_shot.h"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace aios::app {
namespace {

/// However often somebody asks for the metrics.
constexpr Duration look_least = std::chrono::seconds(1);
constexpr std::uint32_t faulted_looked_at_max = 1000;
constexpr std::uint32_t dead_looked_at_max = 1000;

}  // namespace

/// NaN once something could not be read.
struct WorkWatch::Counts {
  double runs_waiting = 0;
  double incidents = 0;
  double reviews = 0;
  double approvals = 0;
  double overdue = 0;
  double dead_letters = 0;
  double dead_deliveries = 0;
  double unsigned_leaves = 0;
};

struct WorkWatch::Shown {
  std::atomic<double> runs_waiting = 0;
  std::atomic<double> incidents = 0;
  std::atomic<double> reviews = 0;
  std::atomic<double> approvals = 0;
  std::atomic<double> overdue = 0;
  std::atomic<double> dead_letters = 0;
  std::atomic<double> dead_deliveries = 0;
  std::atomic<double> unsigned_leaves = 0;
};

WorkWatch::WorkWatch(store::Store& store, review::Reviews& reviews, const govern::AuditLog& audit,
                     runtime::Clock& clock, observe::Metrics& metrics)
    : store_(store),
      reviews_(reviews),
      audit_(audit),
      clock_(clock),
      shown_(std::make_shared<Shown>()) {
  const auto show = [&](const observe::MetricRow& row, std::atomic<double> Shown::* value) {
    metrics.gauge(row, [shown = shown_, value] { return ((*shown).*value).load(); });
  };
  show(observe::metric("aios_runs_waiting"), &Shown::runs_waiting);
  show(observe::metric("aios_incidents_open"), &Shown::incidents);
  show(observe::metric("aios_reviews_open"), &Shown::reviews);
  show(observe::metric("aios_reviews_in_approval"), &Shown::approvals);
  show(observe::metric("aios_reviews_overdue"), &Shown::overdue);
  show(observe::metric("aios_dead_letters"), &Shown::dead_letters);
  show(observe::metric("aios_deliveries_dead"), &Shown::dead_deliveries);
  show(observe::metric("aios_audit_leaves_unsigned"), &Shown::unsigned_leaves);
}

Task<void> WorkWatch::look(Context ctx) {
  const Instant now = clock_.instant();
  std::int64_t next = next_look_ns_.load();
  if (now.ns < next || !next_look_ns_.compare_exchange_strong(next, (now + look_least).ns)) {
    co_return;
  }
  auto tenants = co_await store_.tenants_with_leaves(ctx);
  if (!tenants.ok()) {
    co_return;
  }
  Counts counts;
  for (const TenantId& tenant : *tenants) {
    Context of_tenant = system_context(tenant, "metrics");
    of_tenant.deadline = ctx.deadline;
    of_tenant.cancel = ctx.cancel;
    auto adding = add(std::move(of_tenant), &counts);
    co_await std::move(adding);
  }
  const auto show = [](double count, std::atomic<double>* shown) {
    if (count == count) {  // NaN is not
      shown->store(count);
    }
  };
  show(counts.runs_waiting, &shown_->runs_waiting);
  show(counts.incidents, &shown_->incidents);
  show(counts.reviews, &shown_->reviews);
  show(counts.approvals, &shown_->approvals);
  show(counts.overdue, &shown_->overdue);
  show(counts.dead_letters, &shown_->dead_letters);
  show(counts.dead_deliveries, &shown_->dead_deliveries);
  show(counts.unsigned_leaves, &shown_->unsigned_leaves);
}

WorkWatch::Seen WorkWatch::seen() const {
  const auto whole = [](double count) { return static_cast<std::uint64_t>(count); };
  Seen out;
  out.incidents = whole(shown_->incidents);
  out.overdue = whole(shown_->overdue);
  out.dead_letters = whole(shown_->dead_letters);
  out.dead_deliveries = whole(shown_->dead_deliveries);
  out.unsigned_leaves = whole(shown_->unsigned_leaves);
  return out;
}

Task<void> WorkWatch::add(Context ctx, Counts* counts) {
  using store::StreamKind;
  auto runs = add_streams(ctx, StreamKind::run, "waiting", &counts->runs_waiting);
  co_await std::move(runs);
  auto incidents = add_streams(ctx, StreamKind::incident, "open", &counts->incidents);
  co_await std::move(incidents);
  auto reviews = add_reviews(ctx, counts);
  co_await std::move(reviews);
  auto dead = add_streams(ctx, StreamKind::event, "dead_letter", &counts->dead_letters);
  co_await std::move(dead);
  auto given_up = add_streams(ctx, StreamKind::delivery, "dead", &counts->dead_deliveries);
  co_await std::move(given_up);
  auto leaves = co_await store_.leaf_count(ctx);
  const std::uint64_t covered = audit_.size(ctx.tenant);
  counts->unsigned_leaves += leaves.ok() && *leaves > covered
                                 ? static_cast<double>(*leaves - covered)
                             : leaves.ok() ? 0.0
                                           : std::numeric_limits<double>::quiet_NaN();
}

Task<std::uint64_t> WorkWatch::faulted_since(Context ctx, Time since) {
  auto tenants = co_await store_.tenants_with_leaves(ctx);
  std::uint64_t faulted = 0;
  for (const TenantId& tenant : tenants.ok() ? *tenants : std::vector<TenantId>()) {
    store::ListQuery query;
    query.tenant = tenant;
    query.status = "faulted";
    query.limit = faulted_looked_at_max;
    query.newest_first = true;
    query.with_state = false;
    Context of_tenant = system_context(tenant, "doctor");
    of_tenant.deadline = ctx.deadline;
    of_tenant.cancel = ctx.cancel;
    auto rows = co_await store_.list(std::move(of_tenant), std::move(query));
    if (rows.ok()) {
      faulted += static_cast<std::uint64_t>(
          std::count_if(rows->begin(), rows->end(),
                        [since](const store::StreamRow& row) { return row.updated >= since; }));
    }
  }
  co_return faulted;
}

Task<WorkWatch::BySource> WorkWatch::dead_letters_by_source(Context ctx) {
  auto tenants = co_await store_.tenants_with_leaves(ctx);
  BySource out;
  for (const TenantId& tenant : tenants.ok() ? *tenants : std::vector<TenantId>()) {
    store::ListQuery query;
    query.tenant = tenant;
    query.kind = store::StreamKind::event;
    query.status = "dead_letter";
    query.limit = dead_looked_at_max;
    query.newest_first = true;
    Context of_tenant = system_context(tenant, "doctor");
    of_tenant.deadline = ctx.deadline;
    of_tenant.cancel = ctx.cancel;
    auto rows = co_await store_.list(std::move(of_tenant), std::move(query));
    for (const store::StreamRow& row : rows.ok() ? *rows : std::vector<store::StreamRow>()) {
      ++out[{tenant, ingress::dead_letter_of(row).source}];
    }
  }
  co_return out;
}

Task<void> WorkWatch::add_streams(Context ctx, store::StreamKind kind, std::string status,
                                  double* sum) {
  store::ListQuery query;
  query.tenant = ctx.tenant;
  query.kind = kind;
  query.status = std::move(status);
  auto count = co_await store_.count(ctx, std::move(query));
  *sum += count.ok() ? static_cast<double>(*count) : std::numeric_limits<double>::quiet_NaN();
}

Task<void> WorkWatch::add_reviews(Context ctx, Counts* counts) {
  auto waiting = co_await reviews_.counts(std::move(ctx));
  const double unknown = std::numeric_limits<double>::quiet_NaN();
  counts->reviews += waiting.ok() ? static_cast<double>(waiting->open) : unknown;
  counts->approvals += waiting.ok() ? static_cast<double>(waiting->approval) : unknown;
  counts->overdue += waiting.ok() ? static_cast<double>(waiting->overdue) : unknown;
}

}  // namespace aios::app
