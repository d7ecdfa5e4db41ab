// SPDX-License-Identifier: Apache-2.0
#include "govern/budget.h"

#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <set>

namespace aios::govern {
namespace {

constexpr std::int64_t nano = 1'000'000'000;
constexpr std::int64_t units_max = 1'000'000'000;
constexpr std::size_t decimals_max = 9;
constexpr std::size_t budgets_max = 50;
constexpr std::size_t name_bytes_max = 100;
constexpr std::size_t date_day = 10;   // "2026-11-21"
constexpr std::size_t date_month = 7;  // "2026-11"

Error bad(std::string message) {
  return Error(Code::invalid_argument, std::move(message)).page(531);
}

/// The date at the start of the window.
std::string window_of(BudgetWindow window, Time now) {
  return to_rfc3339(now).substr(0, window == BudgetWindow::day ? date_day : date_month);
}

Time midnight(const std::string& date) { return *parse_rfc3339(date + "T00:00:00Z"); }

std::pair<Time, Time> bounds_of(BudgetWindow window, Time now) {
  if (window == BudgetWindow::day) {
    const Time from = midnight(window_of(window, now));
    return {from, from + std::chrono::hours(24)};
  }
  const Time from = midnight(window_of(window, now) + "-01");
  constexpr int longest_month_days = 31;
  const Time later = from + std::chrono::hours(24 * longest_month_days);
  return {from, midnight(window_of(window, later) + "-01")};
}

std::string account_of(const BudgetSpec& spec, Time now) {
  const std::string whose =
      spec.scope == BudgetScope::tenant ? "tenant" : "workflow:" + spec.workflow;
  return fmt::format("{}/{}/{}", spec.currency, whose, window_of(spec.window, now));
}

std::string held(const std::string& account) { return "held/" + account; }
std::string reserved(const std::string& account) { return "reserved/" + account; }

bool covers(const BudgetSpec& spec, std::string_view workflow, std::string_view currency) {
  if (spec.currency != currency) {
    return false;
  }
  return spec.scope == BudgetScope::tenant || spec.workflow == workflow ||
         workflow.ends_with("/" + spec.workflow);
}

bool is_currency(std::string_view text) {
  return text.size() == 3 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

Result<void> check_one(const BudgetSpec& spec) {
  if (spec.name.empty() || spec.name.size() > name_bytes_max) {
    return bad(fmt::format("a budget has a name of {} bytes, wanted 1 to {}", spec.name.size(),
                           name_bytes_max));
  }
  if (!is_currency(spec.currency)) {
    return bad(fmt::format("budget '{}' has currency '{}', wanted three capital letters", spec.name,
                           excerpt(spec.currency, 20)));
  }
  if (spec.limit_nano < 0) {
    return bad(fmt::format("budget '{}' has a negative amount", spec.name));
  }
  const bool named = !spec.workflow.empty() && spec.workflow.size() <= name_bytes_max;
  if ((spec.scope == BudgetScope::workflow) != named) {
    return bad(
        fmt::format("budget '{}' of scope {}: a workflow is named by scope workflow, and by "
                    "no other",
                    spec.name, name_of(spec.scope)));
  }
  return {};
}

/// Digits only, at most `most` of them.
bool is_digits(std::string_view text, std::size_t most) {
  return text.size() <= most &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::int64_t number_of(std::string_view digits) {
  std::int64_t value = 0;
  for (const char c : digits) {
    value = value * 10 + (c - '0');
  }
  return value;
}

}  // namespace

std::string_view name_of(BudgetScope scope) {
  return scope == BudgetScope::tenant ? "tenant" : "workflow";
}
std::string_view name_of(BudgetWindow window) {
  return window == BudgetWindow::day ? "day" : "month";
}

std::string money_text(std::int64_t amount, std::string_view currency) {
  const bool negative = amount < 0;
  const std::uint64_t whole =
      negative ? ~static_cast<std::uint64_t>(amount) + 1 : static_cast<std::uint64_t>(amount);
  std::string text = fmt::format("{}{}.{:09}", negative ? "-" : "", whole / nano, whole % nano);
  text.resize(text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) {
    text.pop_back();
  }
  return currency.empty() ? text : fmt::format("{} {}", text, currency);
}

Result<std::int64_t> parse_nano(std::string_view text) {
  const std::size_t dot = std::min(text.find('.'), text.size());
  const std::string_view units = text.substr(0, dot);
  const std::string_view decimals = dot == text.size() ? "0" : text.substr(dot + 1);
  const bool good = !units.empty() && !decimals.empty() && is_digits(units, decimals_max + 1) &&
                    is_digits(decimals, decimals_max) && number_of(units) <= units_max;
  if (!good) {
    return bad(
        fmt::format("found amount '{}', wanted a decimal number from 0 to {} with at most "
                    "{} decimals",
                    excerpt(text, 40), units_max, decimals_max));
  }
  std::string padded(decimals);
  padded.resize(decimals_max, '0');
  return number_of(units) * nano + number_of(padded);
}

Result<std::int64_t> nano_of(const Json& value) {
  if (value.is_string()) {
    return parse_nano(view(value.get_string()));
  }
  if (value.is_double()) {
    std::string text = fmt::format("{}", value.get_double());  // the shortest that reads back
    if (text.find('e') != std::string::npos) {  // small or large: in full where that is the same
      const std::string full = fmt::format("{:.{}f}", value.get_double(), decimals_max);
      text = std::strtod(full.c_str(), nullptr) == value.get_double() ? full : text;
    }
    return parse_nano(text);
  }
  return parse_nano(to_text(value));
}

Json Reservation::to_json() const {
  JsonArray names;
  for (const std::string& account : accounts) {
    names.emplace_back(account);
  }
  return JsonObject{
      {"currency", currency}, {"amount_nano", amount_nano}, {"accounts", std::move(names)}};
}

Result<Reservation> Reservation::from_json(const Json& value) {
  Reservation out;
  out.currency = text_or(value, "currency", "");
  out.amount_nano = int_or(value, "amount_nano", -1);
  const Json* names = find(value, "accounts");
  if (!is_currency(out.currency) || out.amount_nano < 0 || names == nullptr || !names->is_array()) {
    return Error(Code::data_loss, "a reservation of a budget cannot be read");
  }
  for (const Json& name : names->get_array()) {
    out.accounts.emplace_back(name.is_string() ? view(name.get_string()) : "");
  }
  return out;
}

std::vector<store::BudgetMove> Reservation::settle(std::int64_t spent_nano) const {
  AIOS_ASSERT(spent_nano >= 0);
  std::vector<store::BudgetMove> moves;
  for (const std::string& account : accounts) {
    if (spent_nano != amount_nano) {
      moves.push_back({held(account), spent_nano - amount_nano});
    }
    if (amount_nano != 0) {
      moves.push_back({reserved(account), -amount_nano});
    }
  }
  return moves;
}

Json BudgetState::to_json() const {
  JsonObject out{{"name", spec.name},
                 {"scope", name_of(spec.scope)},
                 {"currency", spec.currency},
                 {"window", name_of(spec.window)},
                 {"from", to_rfc3339(from)},
                 {"until", to_rfc3339(until)},
                 {"limit_nano", spec.limit_nano},
                 {"spent_nano", spent_nano},
                 {"reserved_nano", reserved_nano},
                 {"limit", money_text(spec.limit_nano, "")},
                 {"spent", money_text(spent_nano, "")},
                 {"reserved", money_text(reserved_nano, "")},
                 {"left", money_text(spec.limit_nano - spent_nano - reserved_nano, "")}};
  if (spec.scope == BudgetScope::workflow) {
    out["workflow"] = spec.workflow;
  }
  return out;
}

Result<void> Budgets::check(const std::vector<BudgetSpec>& budgets) {
  if (budgets.size() > budgets_max) {
    return bad(fmt::format("found {} budgets, wanted at most {}", budgets.size(), budgets_max));
  }
  std::set<std::string> names;
  std::map<std::string, std::string> owners;
  for (const BudgetSpec& spec : budgets) {
    auto good = check_one(spec);
    if (!good.ok()) {
      return good;
    }
    if (!names.insert(spec.name).second) {
      return bad(fmt::format("two budgets are named '{}'", spec.name));
    }
    const auto [owner, fresh] = owners.emplace(account_of(spec, Time{}), spec.name);
    if (!fresh) {
      return bad(fmt::format("budgets '{}' and '{}' cover the same scope, currency and window",
                             owner->second, spec.name));
    }
  }
  return {};
}

Staged Budgets::stage(const TenantId& tenant, std::vector<BudgetSpec> budgets) {
  Staged out;
  if (auto good = check(budgets); !good.ok()) {
    out.errors.push_back(std::move(good).error());
    return out;
  }
  auto ready = std::make_shared<std::vector<BudgetSpec>>(std::move(budgets));
  out.put = [this, tenant, ready] {
    const std::lock_guard lock(mutex_);
    tenants_[tenant].swap(*ready);
  };
  return out;
}

Result<void> Budgets::load(const TenantId& tenant, std::vector<BudgetSpec> budgets) {
  Staged staged = stage(tenant, std::move(budgets));
  if (!staged.errors.empty()) {
    return std::move(staged.errors.front());
  }
  staged.put();
  return {};
}

std::vector<BudgetSpec> Budgets::of(const TenantId& tenant) const {
  const std::lock_guard lock(mutex_);
  const auto found = tenants_.find(tenant);
  return found == tenants_.end() ? std::vector<BudgetSpec>() : found->second;
}

Result<Reserving> Budgets::reserve(const TenantId& tenant, std::string_view workflow,
                                   std::string_view currency, std::int64_t amount_nano,
                                   Time now) const {
  AIOS_ASSERT(amount_nano >= 0);
  Reserving out;
  out.reservation.currency = currency;
  out.reservation.amount_nano = amount_nano;
  for (const BudgetSpec& spec : of(tenant)) {
    if (!covers(spec, workflow, currency)) {
      continue;
    }
    const std::string account = account_of(spec, now);
    out.moves.push_back({held(account), amount_nano, spec.limit_nano});
    out.moves.push_back({reserved(account), amount_nano});
    out.reservation.accounts.push_back(account);
  }
  if (out.moves.empty()) {
    return Error(Code::budget_exceeded, fmt::format("no budget in {} is granted to workflow '{}'",
                                                    excerpt(currency, 20), excerpt(workflow, 100)))
        .page(530);
  }
  return out;
}

Task<Result<std::vector<BudgetState>>> Budgets::list(Context ctx, store::Store* store,
                                                     Time now) const {
  std::vector<BudgetState> out;
  for (const BudgetSpec& spec : of(ctx.tenant)) {
    const std::string account = account_of(spec, now);
    auto all = co_await store->budget(ctx, held(account));
    if (!all.ok()) {
      co_return std::move(all).error();
    }
    auto waiting = co_await store->budget(ctx, reserved(account));
    if (!waiting.ok()) {
      co_return std::move(waiting).error();
    }
    const auto [from, until] = bounds_of(spec.window, now);
    out.push_back({spec, from, until, *all - *waiting, *waiting});
  }
  co_return out;
}

Error over_budget(const Reservation& reservation, const Error& refused) {
  return Error(Code::budget_exceeded,
               fmt::format("a call that may cost {} is not covered: {}",
                           money_text(reservation.amount_nano, reservation.currency),
                           refused.message()))
      .page(530);
}

}  // namespace aios::govern
