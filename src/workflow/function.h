// SPDX-License-Identifier: Apache-2.0
#pragma once
// workflow/function: the interface of everything a `call` can name in the default catalog
// (functions/*.cc). The engine does the rest: evaluates arguments, commits the intent before
// perform() (effect fence; a `local` call has none, and is done again after a crash), retries
// durably by effect class, parks the run.
// Threading: one Function serves all runs of all tenants, on every shard at one time. Each method
// is called on the run's shard, and what a coroutine awaits must bring it back there. Lifetime: as
// the engine's; a call under way ends before the engine does.
// Cancellation: ctx is cancelled when the run is (unless the attempt acts outside) and when the
// drain deadline of a stop passes: end soon then, and say `unknown` where that is so.

#include "connectors/connector.h"
#include "core/context.h"
#include "core/effect.h"
#include "core/json.h"
#include "core/result.h"
#include "govern/budget.h"
#include "govern/refusal.h"
#include "runtime/backoff.h"
#include "runtime/task.h"
#include "store/transition.h"
#include "workflow/function_services.h"
#include "workflow/peer.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aios::workflow {

struct CallRequest {
  connectors::Purpose purpose = connectors::Purpose::attempt;
  std::string run_id;
  std::string step;       ///< JSON pointer of the task in its document
  std::string effect_id;  ///< the same for every attempt of this step instance: the idempotency key
  std::uint32_t attempt = 1;
  std::string subject;  ///< data subject of the run
  Json arguments;
  JsonObject run;  ///< governance memory: {workflow, id, step, inferences, retrievals,
                   ///< results, results_forgotten, reviews}
};

/// How the engine must treat a call, known from its arguments alone.
struct CallPlan {
  EffectClass effect = EffectClass::local;
  runtime::BackoffOptions backoff;
  Duration timeout = std::chrono::seconds(30);  ///< of one attempt
  /// Class lookup: so long after the attempt's time is over, "it did not happen" is not believed.
  Duration settle{0};
  /// What it stands or falls with (workflow/peer.h): who is blocked by it is woken by
  /// Engine::peer_recovered(). Empty: nothing.
  std::string peer;
  /// Where it acts. Of what was sent elsewhere nobody can be asked here, and nothing is sent again.
  /// Empty: there is only one place.
  std::string origin;
  bool names_effect = true;  ///< the system knows the effect by its id
  /// The document gave the call a key of its own, which is sent in place of the id.
  std::string document_key{};
};

/// What came of one attempt.
struct CallOutcome {
  Outcome outcome = Outcome::done;
  Json result;
  std::optional<Error> error;  ///< when failed or unknown
  bool blocked = false;  ///< nothing was tried: park until error.retry_after(), count no attempt
  bool spared = false;   ///< failed, and counted no more than what is blocked
  /// When failed: `communication` with this status is what the document gets, not what the error's
  /// code stands for. 0: none of its own.
  int status = 0;
  std::vector<store::AuditLeaf> leaves;    ///< committed with the result
  std::vector<store::StreamWrite> writes;  ///< committed with the result (a review opened)
  std::string
      /// set: park until this review is answered; its result is the step's output
      wait_for_review;
  std::optional<Time> wait_until;  ///< with it: when the review's next time comes
  JsonObject
      inference;  ///< set: remembered as run.inferences[] ({alias, label, confidence, version})
  /// Set: remembered as run.retrievals[] ({corpus, articles: [{article, intents, fit}]}).
  JsonObject retrieval;
  /// Set: remembered as run.results[] ({connector, operation, result}).
  JsonObject connector_result;
  std::uint32_t labels = 0;  ///< DataLabel bits of the result: the run has them from now on
  /// Of what PreparedCall::payment reserved; it is settled with the result. Not set: it is not
  /// known, and all of it counts as spent.
  std::optional<std::int64_t> spent_nano;
};

/// Failed, with the leaves that say why.
CallOutcome outcome_of(govern::Refusal refusal);

/// What came of asking whether a call happened.
struct LookupOutcome {
  std::optional<Json> result;            ///< it happened, and gave this
  JsonObject connector_result;           ///< as in CallOutcome
  std::optional<Error> error;            ///< not known yet. Neither: it did not happen
  std::vector<store::AuditLeaf> leaves;  ///< committed with what follows
};

/// Admitted and ready to leave: made by prepare(), given to perform() or lookup().
struct PreparedCall {
  std::vector<store::AuditLeaf> intent;  ///< committed before perform(); nothing for a look-up
  std::shared_ptr<void> state;           ///< the function's own (holds the Permit)
  /// Set: an attempt would be blocked now. There is no intent, so that an intent without an outcome
  /// says that nobody knows.
  std::optional<Error> blocked;
  /// What the plan said of it, as it was when it was admitted: what was deployed in between is
  /// planned anew. Not set: that cannot change.
  struct Place {
    EffectClass effect = EffectClass::local;
    std::string origin;
  };
  std::optional<Place> place;
  /// What the attempt may cost at most: reserved in the commit of its intent. A budget that does
  /// not cover it refuses the call: budget_exceeded [AIOS-0530] goes to the document, nothing is
  /// sent. An attempt whose end nobody saw counts as spent.
  struct Payment {
    govern::Reserving reserving;
    store::AuditLeaf unpaid;  ///< instead of the intent when it is not covered
  };
  std::optional<Payment> payment;
};

class Function {
 public:
  virtual ~Function() = default;
  /// Pure and quick; asked again before each attempt and after a crash. invalid_argument when the
  /// arguments do not fit: what stands in the document was checked against arguments_schema, what
  /// its expressions made of it was not.
  virtual Result<CallPlan> plan(const Context& ctx, const CallRequest& request) = 0;
  /// Guard and anything else that may refuse; unless overridden there is nothing to ask. Nothing
  /// may have left the process when it returns. A refusal ends the step: its error goes to the
  /// document, whatever its Retry, or to a person when an earlier try may have happened.
  virtual Task<govern::Refusable<PreparedCall>> prepare(Context ctx, CallRequest request);
  /// One attempt, with the attempt's deadline in ctx. Its error's Retry decides what follows
  /// `failed`: never goes to the document, any other is tried again up to CallPlan::backoff. After
  /// `unknown` it depends on the effect class alone.
  virtual Task<CallOutcome> perform(Context ctx, PreparedCall prepared, CallRequest request) = 0;
  /// Whether a call can have given this: what a person says of one that happened. @return what the
  /// run remembers of it, as CallOutcome::connector_result; invalid_argument [AIOS-1020], with what
  /// is wanted
  virtual Result<JsonObject> check_result(const Context& ctx, const CallRequest& request,
                                          const Json& result);
  /// Class lookup only. @param prepared  for Purpose::lookup
  virtual Task<LookupOutcome> lookup(Context ctx, PreparedCall prepared, CallRequest request);
};

struct FunctionEntry {
  std::string name;     ///< "infer"; called as infer:1.0.0@default
  std::string version;  ///< "1.0.0"
  std::string summary;
  std::string
      arguments_schema;  ///< JSON Schema text of `with`, before expressions are evaluated in it
  std::string result_schema;
  std::function<std::unique_ptr<Function>(const FunctionServices&)> make;
};
class FunctionRegistry {
 public:
  void add(FunctionEntry entry) { entries_.push_back(std::move(entry)); }
  const std::vector<FunctionEntry>& entries() const { return entries_; }
  const FunctionEntry* find(std::string_view name) const;

 private:
  std::vector<FunctionEntry> entries_;
};
void register_all_functions(FunctionRegistry& registry);

}  // namespace aios::workflow
