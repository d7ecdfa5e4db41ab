// SPDX-License-Identifier: Apache-2.0
#pragma once
// gateway/hosted: models behind somebody else's API. A call leaves the process and costs money, so
// it comes in two halves with a commit between them: admit() asks the guard and reserves the
// highest cost; the caller commits the intent's leaf with the reservation's movements; perform()
// calls, and the caller commits the outcome's leaf with the settlement. What was admitted and never
// performed counts as spent. A call is of effect class `read`: asking again harms nobody, and its
// cost is reserved anew.
// Threading: any shard.

#include "core/staged.h"
#include "gateway/gateway.h"
#include "gateway/price.h"
#include "govern/budget.h"
#include "runtime/backoff.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aios::gateway {

struct HostedModel {
  std::string alias;
  std::string provider;  ///< registered name
  Json options;          ///< the provider's own
  Price price;
  Duration timeout = std::chrono::seconds(20);  ///< of one attempt
  runtime::BackoffOptions backoff{.retries_max = 2, .first = std::chrono::milliseconds(500)};
  runtime::Breaker::Options breaker;
};

struct HostedServices {
  const govern::Guard* guard = nullptr;
  const govern::Budgets* budgets = nullptr;
  net::Client* client = nullptr;
  /// A provider may keep what it is given: the source is used as long as the last call runs.
  std::function<Result<std::string>(const TenantId& tenant, std::string_view name)> secret;
  observe::Metrics* metrics = nullptr;
  runtime::Clock* clock = nullptr;
  ProviderRegistry providers{};  ///< empty: every registered one
};

/// Admitted, to be performed once.
struct Admitted {
  struct State;
  std::shared_ptr<State> state;  ///< holds the Permit and the input as the policy wants it
  govern::Reserving payment;     ///< its movements go with the intent
  store::AuditLeaf intent;
  store::AuditLeaf unpaid;  ///< instead of the intent when the store refuses the reservation
  /// Set: it would not be asked now, and nothing else is: commit nothing, and ask again after
  /// error.retry_after().
  std::optional<Error> blocked;
};

struct HostedReply {
  Outcome outcome = Outcome::unknown;
  Json output;                 ///< when done: the provider's, with "usage" and "cost"
  std::optional<Error> error;  ///< unless done
  /// Nothing was tried: the breaker is open or the server asked to be left alone;
  /// error.retry_after() says for how long.
  bool blocked = false;
  /// Failed, and it is the server that is away: nothing was sent, it asks to be left alone, or it
  /// was the probe of an open breaker. Counts no more than what is blocked.
  bool spared = false;
  std::int64_t spent_nano = 0;  ///< give it to Reservation::settle()
  bool estimated = false;       ///< what was spent is not known: the whole reservation counts
  store::AuditLeaf leaf;        ///< commit it with the settlement
};

class Hosted {
 public:
  explicit Hosted(HostedServices services);
  ~Hosted();
  /// Replaces the tenant's models; calls under way keep theirs. @return invalid_argument
  /// [AIOS-0803] naming the model, then the old ones stay.
  Result<void> load(const TenantId& tenant, const std::vector<HostedModel>& models);
  /// The same in two halves: nothing can fail when it is put in place.
  Staged stage(const TenantId& tenant, const std::vector<HostedModel>& models);
  /// Whether every model can be made: what load() would say, naming no tenant.
  static Result<void> check(const HostedModel& model);
  /// Of the tenant's models: those that nothing can be asked for want of a secret, and why.
  std::vector<Error> missing_secrets(const TenantId& tenant) const;
  /// Null when the alias is no hosted model of the tenant.
  std::shared_ptr<const HostedModel> find(const TenantId& tenant, std::string_view alias) const;

  /// @param workflow  "namespace/name", for its budget.
  /// @return not_found [AIOS-0705]; policy_denied [AIOS-0501, 0802]; invalid_argument [AIOS-0800];
  ///         budget_exceeded [AIOS-0530] when no budget is granted at all. With a leaf when the
  ///         guard was asked.
  govern::Refusable<Admitted> admit(const Context& ctx, InferRequest request,
                                    std::string_view workflow) const;
  Task<HostedReply> perform(Context ctx, Admitted admitted) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace aios::gateway
