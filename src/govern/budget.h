// SPDX-License-Identifier: Apache-2.0
#pragma once
// govern/budget: what a tenant's calls may cost. Money is counted in nano-units of a currency
// (1 EUR = 1,000,000,000), in whole numbers. Before a call its highest cost is reserved, in the
// transition that records the intent; the transition of the result settles it. What is reserved and
// never settled counts as spent.
// Two accounts a budget and window: "held/..." (spent and reserved; the limit binds here) and
// "reserved/..." (for those who look). Their names are made of what a budget covers, not of its
// name, so a renamed or raised budget goes on counting where it was.

#include "core/context.h"
#include "core/ids.h"
#include "core/json.h"
#include "core/result.h"
#include "core/staged.h"
#include "core/time.h"
#include "runtime/task.h"
#include "store/store.h"
#include "store/transition.h"

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aios::govern {

enum class BudgetScope : std::uint8_t { tenant, workflow };
enum class BudgetWindow : std::uint8_t { day, month };  ///< of the calendar, UTC
std::string_view name_of(BudgetScope scope);
std::string_view name_of(BudgetWindow window);

struct BudgetSpec {
  std::string name;
  BudgetScope scope = BudgetScope::tenant;
  std::string workflow;  ///< of scope workflow: its name, or namespace/name
  std::string currency;  ///< three capital letters
  BudgetWindow window = BudgetWindow::day;
  std::int64_t limit_nano = 0;
};

/// What was reserved for one call: kept beside the call until it is settled.
struct Reservation {
  std::string currency;
  std::int64_t amount_nano = 0;
  std::vector<std::string> accounts;  ///< of the window it was made in
  Json to_json() const;
  static Result<Reservation> from_json(const Json& value);

  /// Taken with the result: of the amount only `spent_nano` stays (0: all is given back). More than
  /// the amount is booked too: a bill is a bill.
  std::vector<store::BudgetMove> settle(std::int64_t spent_nano) const;
};

/// A reservation and the movements that make it; budget_exceeded by the store when one passes its
/// limit.
struct Reserving {
  Reservation reservation;
  std::vector<store::BudgetMove> moves;
};

struct BudgetState {
  BudgetSpec spec;
  Time from, until;
  std::int64_t spent_nano = 0;
  std::int64_t reserved_nano = 0;
  Json to_json() const;
};

/// "12.5 EUR": as few decimals as it takes.
std::string money_text(std::int64_t nano, std::string_view currency);
/// A decimal number as nano-units: "0.15", "12", "0.000000001".
/// @return invalid_argument [AIOS-0531] for anything else, more than nine decimals, or more than
///         1,000,000,000 units.
Result<std::int64_t> parse_nano(std::string_view text);
/// The same of a number or a text.
Result<std::int64_t> nano_of(const Json& value);

/// Threading: every method from any thread.
class Budgets {
 public:
  /// Replaces a tenant's budgets. @return invalid_argument [AIOS-0531], then the old ones stay: two
  /// of one name or of one scope, currency and window; a bad currency; a negative limit.
  Result<void> load(const TenantId& tenant, std::vector<BudgetSpec> budgets);
  /// The same in two halves: nothing can fail when it is put in place.
  Staged stage(const TenantId& tenant, std::vector<BudgetSpec> budgets);
  static Result<void> check(const std::vector<BudgetSpec>& budgets);

  /// From every budget of the tenant in that currency, and of the workflow.
  /// @param workflow  "namespace/name" of the run.
  /// @return budget_exceeded [AIOS-0530] when the tenant has no budget in that currency: what
  ///         nobody granted is not spent.
  Result<Reserving> reserve(const TenantId& tenant, std::string_view workflow,
                            std::string_view currency, std::int64_t amount_nano, Time now) const;
  /// Every budget in its present window, in the order of the bundle.
  Task<Result<std::vector<BudgetState>>> list(Context ctx, store::Store* store, Time now) const;

 private:
  std::vector<BudgetSpec> of(const TenantId& tenant) const;
  mutable std::mutex mutex_;
  std::map<TenantId, std::vector<BudgetSpec>> tenants_;
};

/// What a document is told when the store refused a reservation. budget_exceeded [AIOS-0530].
Error over_budget(const Reservation& reservation, const Error& refused);

}  // namespace aios::govern
