// SPDX-License-Identifier: Apache-2.0
#include "app/money_watch.h"

#include "observe/metric_table.h"

#include <set>
#include <utility>

namespace aios::app {
namespace {

/// However often somebody asks for the metrics.
constexpr Duration look_least = std::chrono::seconds(1);

/// Whole nano-units are kept elsewhere; a metric is read by people, in units of the currency.
double units(std::int64_t nano) { return static_cast<double>(nano) / 1e9; }

}  // namespace

struct MoneyWatch::Shown {
  std::atomic<double> limit = 0;
  std::atomic<double> spent = 0;
  std::atomic<double> reserved = 0;
};

MoneyWatch::MoneyWatch(store::Store& store, const govern::Budgets& budgets, runtime::Clock& clock,
                       observe::Metrics& metrics)
    : store_(store),
      budgets_(budgets),
      clock_(clock),
      metrics_(metrics) {}

std::shared_ptr<MoneyWatch::Shown> MoneyWatch::shown(const std::vector<std::string>& labels) {
  auto& slot = all_[labels];
  if (slot) {
    return slot;
  }
  slot = std::make_shared<Shown>();
  const auto show = [&](const observe::MetricRow& row, std::atomic<double> Shown::* value) {
    metrics_.gauge(row, [one = slot, value] { return ((*one).*value).load(); }, labels);
  };
  show(observe::metric("aios_budget_limit"), &Shown::limit);
  show(observe::metric("aios_budget_spent"), &Shown::spent);
  show(observe::metric("aios_budget_reserved"), &Shown::reserved);
  return slot;
}

Task<void> MoneyWatch::look(Context ctx) {
  const Instant now = clock_.instant();
  std::int64_t next = next_look_ns_.load();
  if (now.ns < next || !next_look_ns_.compare_exchange_strong(next, (now + look_least).ns)) {
    co_return;
  }
  auto tenants = co_await store_.tenants_with_leaves(ctx);
  if (!tenants.ok()) {
    co_return;
  }
  std::set<std::vector<std::string>> seen;
  for (const TenantId& tenant : *tenants) {
    Context of_tenant = system_context(tenant, "metrics");
    of_tenant.deadline = ctx.deadline;
    of_tenant.cancel = ctx.cancel;
    auto states = co_await budgets_.list(std::move(of_tenant), &store_, clock_.now());
    if (!states.ok()) {
      co_return;
    }
    const std::lock_guard lock(mutex_);
    for (const govern::BudgetState& state : *states) {
      const std::vector<std::string> labels{tenant.text(), state.spec.name, state.spec.currency};
      seen.insert(labels);
      const auto one = shown(labels);
      one->limit = units(state.spec.limit_nano);
      one->spent = units(state.spent_nano);
      one->reserved = units(state.reserved_nano);
    }
  }
  const std::lock_guard lock(mutex_);
  for (const auto& [labels, one] : all_) {
    if (!seen.contains(labels)) {
      one->limit = one->spent = one->reserved = 0.0;
    }
  }
}

}  // namespace aios::app
