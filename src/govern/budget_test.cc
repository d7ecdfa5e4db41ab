// SPDX-License-Identifier: Apache-2.0
#include "govern/budget.h"

#include "runtime/sim.h"
#include "runtime/task_group.h"
#include "store/test/memory.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

namespace aios::govern {
namespace {

constexpr std::int64_t one = 1'000'000'000;

BudgetSpec daily(std::string name, std::int64_t limit_nano) {
  BudgetSpec spec;
  spec.name = std::move(name);
  spec.currency = "EUR";
  spec.limit_nano = limit_nano;
  return spec;
}

BudgetSpec of_workflow(std::string name, std::string workflow, std::int64_t limit_nano) {
  BudgetSpec spec = daily(std::move(name), limit_nano);
  spec.scope = BudgetScope::workflow;
  spec.workflow = std::move(workflow);
  return spec;
}

/// A store whose disk can lose power, and the budgets of one tenant.
struct Purse {
  runtime::SimExecutor executor;
  std::shared_ptr<store::MemoryDisk> disk = std::make_shared<store::MemoryDisk>();
  std::unique_ptr<store::Store> store;
  Budgets budgets;

  explicit Purse(std::vector<BudgetSpec> specs) {
    REQUIRE(budgets.load(default_tenant(), std::move(specs)).ok());
    open();
  }
  void open() { store = store::test::open_memory(disk, executor.clock()); }
  Time now() { return executor.clock().now(); }
  Result<Reserving> reserve(std::int64_t amount, std::string_view workflow = "support/ticket") {
    return budgets.reserve(default_tenant(), workflow, "EUR", amount, now());
  }
  Result<store::Committed> commit(std::vector<store::BudgetMove> moves) {
    store::Transition transition;
    transition.tenant = default_tenant();
    transition.epoch = store->epoch();
    transition.budgets = std::move(moves);
    return executor.run(
        store->commit(system_context(default_tenant(), "test"), std::move(transition)));
  }
  BudgetState state(std::size_t index = 0) {
    auto all =
        executor.run(budgets.list(system_context(default_tenant(), "test"), store.get(), now()));
    REQUIRE(all.ok());
    REQUIRE(all->size() > index);
    return all->at(index);
  }
};

/// What a caller of a model does with money: reserve, wait for an answer, settle.
Task<void> call_once(Purse& purse, int number, int* paid, int* refused, std::int64_t* at_once) {
  auto reserving = purse.reserve(one);
  CHECK(reserving.ok());
  store::Transition intent;
  intent.tenant = default_tenant();
  intent.epoch = purse.store->epoch();
  intent.budgets = reserving->moves;
  const Context ctx = system_context(default_tenant(), "test");
  auto admitted = co_await purse.store->commit(ctx, std::move(intent));
  if (!admitted.ok()) {
    CHECK(admitted.error().code() == Code::budget_exceeded);
    ++*refused;
    co_return;
  }
  auto held = co_await purse.store->budget(ctx, "held/EUR/tenant/2026-09-21");
  *at_once = std::max(*at_once, held.ok() ? *held : INT64_MAX);
  auto waited = co_await runtime::sleep_for(ctx, std::chrono::milliseconds(1 + number % 7));
  CHECK(waited.ok());
  store::Transition result;
  result.tenant = default_tenant();
  result.epoch = purse.store->epoch();
  result.budgets = reserving->reservation.settle(one);
  auto settled = co_await purse.store->commit(ctx, std::move(result));
  CHECK(settled.ok());
  ++*paid;
}

}  // namespace

TEST_CASE("budget: of 128 callers at once a budget for ten lets exactly ten pass") {
  Purse purse({daily("models", 10 * one)});
  int paid = 0;
  int refused = 0;
  std::int64_t at_once = 0;
  runtime::TaskGroup group(purse.executor);
  for (int i = 0; i < 128; ++i) {
    group.spawn(call_once(purse, i, &paid, &refused, &at_once));
  }
  purse.executor.run(group.join());
  CHECK(paid == 10);
  CHECK(refused == 118);
  CHECK(at_once == 10 * one);
  CHECK(purse.state().spent_nano == 10 * one);
  CHECK(purse.state().reserved_nano == 0);
}

TEST_CASE("budget: what is reserved shows, and is settled with what was spent") {
  Purse purse({daily("models", 10 * one)});
  auto reserving = purse.reserve(4 * one);
  REQUIRE(reserving.ok());
  REQUIRE(purse.commit(reserving->moves).ok());
  CHECK(purse.state().reserved_nano == 4 * one);
  CHECK(purse.state().spent_nano == 0);
  REQUIRE(purse.commit(reserving->reservation.settle(one)).ok());
  CHECK(purse.state().reserved_nano == 0);
  CHECK(purse.state().spent_nano == one);
  auto failed = purse.reserve(9 * one);
  REQUIRE(purse.commit(failed->moves).ok());
  REQUIRE(purse.commit(failed->reservation.settle(0)).ok());
  CHECK(purse.state().spent_nano == one);
  CHECK(purse.state().reserved_nano == 0);
}

TEST_CASE("budget: a bill above the reservation is booked all the same and nothing more passes") {
  Purse purse({daily("models", 10 * one)});
  auto reserving = purse.reserve(9 * one);
  REQUIRE(purse.commit(reserving->moves).ok());
  REQUIRE(purse.commit(reserving->reservation.settle(11 * one)).ok());
  CHECK(purse.state().spent_nano == 11 * one);
  auto more = purse.reserve(1);
  const auto refused = purse.commit(more->moves);
  REQUIRE(!refused.ok());
  CHECK(refused.error().code() == Code::budget_exceeded);
  const auto told = over_budget(more->reservation, refused.error());
  CHECK(told.page() == 530);
  CHECK(told.code() == Code::budget_exceeded);
}

TEST_CASE("budget: a power cut between intent and result leaves the reservation counted") {
  Purse purse({daily("models", 10 * one)});
  auto reserving = purse.reserve(10 * one);
  REQUIRE(purse.commit(reserving->moves).ok());
  const Json kept = reserving->reservation.to_json();  // as a run keeps it beside its call
  purse.disk->crash();
  purse.store.reset();
  purse.open();
  CHECK(purse.state().reserved_nano == 10 * one);
  auto other = purse.reserve(1);
  CHECK(!purse.commit(other->moves).ok());
  auto again = Reservation::from_json(kept);
  REQUIRE(again.ok());
  REQUIRE(purse.commit(again->settle(again->amount_nano)).ok());
  CHECK(purse.state().spent_nano == 10 * one);
  CHECK(purse.state().reserved_nano == 0);
}

TEST_CASE("budget: tenant and workflow pay together, and the smaller one binds") {
  Purse purse({daily("all", 10 * one), of_workflow("tickets", "ticket", 3 * one)});
  auto first = purse.reserve(3 * one);
  REQUIRE(purse.commit(first->moves).ok());
  CHECK(purse.state(0).reserved_nano == 3 * one);
  CHECK(purse.state(1).reserved_nano == 3 * one);
  auto second = purse.reserve(one);
  CHECK(!purse.commit(second->moves).ok());
  CHECK(purse.state(0).reserved_nano == 3 * one);  // a refusal moved nothing
  auto other = purse.reserve(one, "support/report");
  CHECK(purse.commit(other->moves).ok());
  CHECK(purse.state(1).reserved_nano == 3 * one);
}

TEST_CASE("budget: the next window begins empty, and a late result settles the old one") {
  Purse purse({daily("models", 2 * one)});
  auto late = purse.reserve(2 * one);
  REQUIRE(purse.commit(late->moves).ok());
  purse.executor.advance(std::chrono::hours(24));
  CHECK(purse.state().reserved_nano == 0);
  auto fresh = purse.reserve(2 * one);
  REQUIRE(purse.commit(fresh->moves).ok());
  REQUIRE(purse.commit(late->reservation.settle(one)).ok());
  CHECK(purse.state().reserved_nano == 2 * one);
  CHECK(purse.state().spent_nano == 0);
  CHECK(purse.state().until - purse.state().from == std::chrono::hours(24));
}

TEST_CASE("budget: a month ends where the calendar says") {
  BudgetSpec monthly = daily("models", one);
  monthly.window = BudgetWindow::month;
  Purse purse({monthly});
  const auto context = system_context(default_tenant(), "test");
  for (const auto& [now, from, until] : {
           std::array{"2028-02-29T23:59:59Z", "2028-02-01T00:00:00Z", "2028-03-01T00:00:00Z"},
           std::array{"2026-12-31T00:00:00Z", "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z"},
       }) {
    CAPTURE(now);
    const auto states =
        purse.executor.run(purse.budgets.list(context, purse.store.get(), *parse_rfc3339(now)));
    REQUIRE(states.ok());
    CHECK(to_rfc3339(states->at(0).from) == from);
    CHECK(to_rfc3339(states->at(0).until) == until);
  }
}

TEST_CASE("budget: without one in the currency nothing is spent") {
  Purse purse({of_workflow("tickets", "support/ticket", one)});
  CHECK(purse.reserve(1).ok());
  const auto other = purse.reserve(1, "support/report");
  REQUIRE(!other.ok());
  CHECK(other.error().code() == Code::budget_exceeded);
  CHECK(other.error().page() == 530);
  CHECK(!purse.budgets.reserve(default_tenant(), "support/ticket", "USD", 1, purse.now()).ok());
  CHECK(!purse.budgets.reserve(*TenantId::parse("other"), "support/ticket", "EUR", 1, purse.now())
             .ok());
}

TEST_CASE("budget: mistakes in a list are refused and the old list stays") {
  Budgets budgets;
  REQUIRE(budgets.load(default_tenant(), {daily("models", one)}).ok());
  BudgetSpec small_letters = daily("models", one);
  small_letters.currency = "eur";
  BudgetSpec nobody = of_workflow("x", "", one);
  BudgetSpec both = daily("x", one);
  both.workflow = "ticket";
  const std::vector<std::vector<BudgetSpec>> wrong{
      {daily("", one)},
      {daily("a", -1)},
      {daily("a", one), daily("b", one)},
      {daily("a", one), of_workflow("a", "ticket", one)},
      {small_letters},
      {nobody},
      {both},
  };
  for (const auto& list : wrong) {
    const auto refused = budgets.load(default_tenant(), list);
    REQUIRE(!refused.ok());
    CHECK(refused.error().page() == 531);
  }
  CHECK(budgets.reserve(default_tenant(), "any/thing", "EUR", 1, Time{}).ok());
}

TEST_CASE("budget: amounts are read exactly or not at all") {
  CHECK(*parse_nano("0.15") == 150'000'000);
  CHECK(*parse_nano("12") == 12 * one);
  CHECK(*parse_nano("0.000000001") == 1);
  CHECK(*parse_nano("1000000000") == one * one);
  CHECK(*nano_of(Json(0.15)) == 150'000'000);
  CHECK(*nano_of(Json(5)) == 5 * one);
  CHECK(*nano_of(Json(1e-5)) == 10'000);
  CHECK(*nano_of(Json(0.000000001)) == 1);
  CHECK(*nano_of(Json("2.5")) == 2'500'000'000);
  for (const char* text : {"", ".", "1.", ".5", "-1", "+1", "1e3", "0.0000000001", "1000000001",
                           "1,5", " 1", "99999999999999999999", "nan", "inf"}) {
    CAPTURE(text);
    CHECK(!parse_nano(text).ok());
  }
  CHECK(!nano_of(Json(true)).ok());
  CHECK(!nano_of(Json(1e-10)).ok());
  CHECK(money_text(1, "EUR") == "0.000000001 EUR");
  CHECK(money_text(12 * one, "EUR") == "12 EUR");
  CHECK(money_text(-2'500'000'000, "") == "-2.5");
  CHECK(money_text(0, "EUR") == "0 EUR");
}

}  // namespace aios::govern
