// SPDX-License-Identifier: Apache-2.0
#pragma once
// workflow/engine: runs definitions durably. A run is a stream; its state (position, data,
// governance memory) is saved whole at each fence, so recovery is: load the state, go on. Pure
// steps cost no commit and may be done again after a crash.
//
// Threading: the coroutines from the thread of any executor, on which they resume; the others from
// any thread. One run is advanced on one shard only (EngineServices::shard_of), one change at a
// time: who wants to change a run that is busy waits, within ctx, until it parks or ends (but a
// cancellation is heeded at the next fence).
// Lifetime: what EngineServices names outlives the engine. Destroy it when stop() has returned, and
// no coroutine of it is awaited any more.
// Durable: an ok of start(), cancel(), answer(), retry(), resolve_incident() says: the change and
// what followed from it, up to the next fence, are synced. Any error but deadline_exceeded and
// cancelled (ctx ended first) says that nothing was changed, or that the store lost sight of its
// own commit; after those two it may have been, and it goes on without the caller.
// Errors of all: unavailable [AIOS-1015] (Retry::same_call, here or at the next start) by what
// changes a run when the engine is stopping; not_found [AIOS-1012] for a run the tenant does not
// have; what EngineServices::held says; the store's own, with their Retry. Every other is
// Retry::never unless it says so.

#include "core/context.h"
#include "core/json.h"
#include "core/result.h"
#include "core/staged.h"
#include "runtime/task.h"
#include "store/transition.h"
#include "workflow/engine_calls.h"
#include "workflow/function.h"
#include "workflow/run_view.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aios::observe {
class Log;
class Metrics;
}  // namespace aios::observe
namespace aios::runtime {
class Executor;
}
namespace aios::review {
struct Said;
}
namespace aios::store {
class Store;
struct ListQuery;
}  // namespace aios::store

namespace aios::workflow {

struct EngineServices {
  store::Store* store = nullptr;
  FunctionServices functions;
  const FunctionRegistry* registry = nullptr;  ///< null: all of functions/*.cc
  /// The same executor for the same id, always. Any thread.
  std::function<runtime::Executor&(std::string_view run_id)> shard_of;
  runtime::Executor* timers = nullptr;  ///< where wake-ups are watched
  PlacesOptions places;                 ///< how many runs are driven at once
  /// Runs of a tenant that wait for one type of event; one more is refused [AIOS-1080].
  std::uint32_t listeners_max = 10'000;
  /// Why nothing of a tenant may go on now (its bundle could not be loaded); nothing: it may. Its
  /// runs stay as they are, who asks for one is told so, and it is asked again each second. Any
  /// thread; null: all may.
  std::function<std::optional<Error>(const TenantId& tenant)> held;
  /// The store came from a backup whose newest commit was then: what runs of that time did since is
  /// not known, so they ask before they act again.
  std::optional<Time> restored_through;
  /// Whether somebody outside takes such events. Any thread; null: nobody.
  std::function<bool(const TenantId& tenant, std::string_view type, std::string_view source)>
      subscribed;
  observe::Metrics* metrics = nullptr;
  observe::Log* log = nullptr;
};

struct RunQuestion;
struct RunsFound;

class Engine {
 public:
  explicit Engine(EngineServices services);
  ~Engine();

  /// All errors of all files at once, with file, line, column.
  static std::vector<Error> check(const std::vector<DefinitionFile>& files,
                                  const FunctionRegistry& functions);
  /// Replaces the tenant's definitions, or none of them on errors; running instances keep theirs.
  std::vector<Error> install(const TenantId& tenant, const std::vector<DefinitionFile>& files);
  /// install() in two steps: all that can fail, then the replacement.
  Staged stage(const TenantId& tenant, const std::vector<DefinitionFile>& files);
  std::vector<DefinitionInfo> definitions(const TenantId& tenant) const;
  /// Definitions whose schedule.on takes an event of this type, by namespace and name; of each the
  /// newest version.
  std::vector<DefinitionInfo> triggered_by(const TenantId& tenant,
                                           std::string_view event_type) const;

  /// Whether an event of this type may have a run that waits for it, now or soon: an installed
  /// definition listens for it, or a run of an older one does.
  Task<Result<bool>> listens(Context ctx, std::string event_type);
  /// Whether anybody here takes events of this type: one starts a run, or listens() says so.
  Task<Result<bool>> wanted(Context ctx, std::string event_type);
  /// Whether a run that waits now has a filter that this event fits.
  Task<Result<bool>> awaited(Context ctx, Json event);
  /// What an event becomes for the runs that wait for it, now or within the hour: to be committed
  /// with the event's inbox entry, which has the same id. Where the hour passes (or 1,000 later
  /// ones of its type wait) and the event started no run either, the entry's status becomes
  /// "dead_letter", in the commit that ends the keeping; fate() says why.
  static store::StreamWrite keep(const std::string& event_id, const Json& event, KeptBeside beside,
                                 Time now);
  /// Gives an event that was kept to the oldest run that waits for such a one, and no other; never
  /// to the run that it started.
  /// @return that run's id, durable; empty: none waits yet, and it stays kept.
  Task<Result<std::string>> deliver(Context ctx, std::string event_id, Json event);
  /// What became of it. not_found: it was not kept, or is forgotten.
  Task<Result<EventFate>> fate(Context ctx, std::string event_id);

  /// Continues every run that was not finished and has no later wake-up, as places come free;
  /// begins watching wake-ups. Call it when every tenant that is not held has its bundle: a run
  /// that goes on without policies is refused for good. After an error it may be called again.
  Task<Result<void>> recover(Context ctx);
  /// Advances to the first fence (with all places taken: to the first call) and commits with
  /// `request.with`: all of it is durable with the run, or nothing.
  /// @return the run's id. not_found [AIOS-1010]: no such workflow; invalid_argument [AIOS-1011]:
  ///         the input does not fit the definition's schema; already_exists: a key of `with` is
  ///         taken; already_exists or aborted: a run has that id.
  Task<Result<std::string>> start(Context ctx, StartRequest request);
  /// Waits until the run ended or ctx ends (deadline_exceeded, cancelled). A stop does not end the
  /// waiting.
  Task<Result<RunView>> wait(Context ctx, std::string run_id);
  /// Reads what was committed last, also while the engine stops; of an erased run what is left.
  /// failed_precondition [AIOS-1030]: this program cannot read its state.
  Task<Result<RunView>> get(Context ctx, std::string run_id);
  /// The runs that a query gives, in its order; its kind is set here. A page ends before its limit
  /// when it holds 4 MiB of states. A few lists are read at a time, the others wait within ctx; a
  /// row that cannot be read says so and holds up no other.
  /// @return resource_exhausted [AIOS-1019] (Retry::same_call) when too many wait.
  Task<Result<RunPage>> list(Context ctx, store::ListQuery query, Shown shown, Branches branches);
  Task<Result<RunPage>> list(Context ctx, store::ListQuery query, Shown shown);  ///< hidden
  /// The runs that fit a question, newest first. What one search reads is bounded (10,000 entries
  /// of the index a condition, 5,000 runs): RunsFound::cut says that it ended there.
  /// @return as list()
  Task<Result<RunsFound>> search(Context ctx, RunQuestion question);
  /// Text a person can read: where it is, what it waits for, since when, what will wake it, what
  /// was tried. As get(), and failed_precondition [AIOS-1016] when its definition is no longer
  /// accepted.
  Task<Result<std::string>> explain(Context ctx, std::string run_id, Shown shown);
  Task<Result<std::string>> explain(Context ctx, std::string run_id) {
    return explain(std::move(ctx), std::move(run_id), Shown::all);
  }
  Task<Result<Json>> history(Context ctx, std::string run_id);
  /// Ends the run; ok when it was cancelled before. An attempt under way is waited for, within its
  /// own time; when it stays unknown whether an effect happened, the run waits at an incident
  /// first, with the cancellation noted. failed_precondition [AIOS-1013]: it has ended otherwise.
  Task<Result<void>> cancel(Context ctx, std::string run_id, std::string reason);
  /// Answer, correction and the run's resumption are one commit.
  /// @return what Reviews::prepare() says; failed_precondition [AIOS-1013, 1014] when the
  ///         run ended or waits for something else.
  Task<Result<void>> answer(Context ctx, std::string review_id, Json answer);
  /// The same for whatever else a person may say of a review; where that is no answer that the run
  /// goes on with, it stays parked, and the review's change and its own line are one commit.
  Task<Result<void>> tell(Context ctx, std::string review_id, review::Said said);
  /// An incident (effect `none` with unknown outcome, or retries used up): a person says what
  /// happened. Guard point incident_settle: policy may want another person's word, for which the
  /// run waits at the same incident ("approve", "send_back"). invalid_argument [AIOS-1018]: no such
  /// word, [AIOS-1020]: the call cannot have given that; failed_precondition [AIOS-1014, 0630]: the
  /// run is not at that; permission_denied [AIOS-0631]; policy_denied [AIOS-0501, 0629], a leaf
  Task<Result<void>> resolve_incident(Context ctx, std::string run_id, Resolution resolution);
  /// Whether runs of the tenant wait for a place (PlacesOptions).
  bool runs_wait(const TenantId& tenant) const;
  /// A faulted run goes on from the task that faulted, after what made it fault was mended. Tasks
  /// that were done are not begun again; a call of unknown outcome that was given up keeps its key
  /// and is asked for by its class. Time limits begin anew. Who asks while it is tried again is
  /// refused as for any run that has not faulted.
  /// @return failed_precondition [AIOS-1090]: it has not faulted; [AIOS-1091]: where it stood was
  ///         not kept (beyond 1 MiB, an older program); [AIOS-1092]: the newest version differs
  ///         before the place where it stands; [AIOS-1093]: to begin the task again would do
  ///         something twice; [AIOS-1081]: a run waited for it, or one that it waited for cannot go
  ///         on with it; data_loss [AIOS-1017]: it was erased.
  Task<Result<void>> retry(Context ctx, std::string run_id, RetryWith with);
  /// A peer (workflow/peer.h) answers again: runs that wait for it are woken.
  void peer_recovered(const TenantId& tenant, const std::string& peer);
  /// Stops advancing at the next fence and returns when every shard is quiet: each run is durable
  /// up to its last fence, and the next start goes on there.
  Task<void> stop();
  /// The same with a bound: calls that are under way after `grace` are cancelled, and their runs
  /// stay as they were saved, as after a crash: the next start finds out by effect class what they
  /// did.
  Task<Stopped> stop_within(Duration grace);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace aios::workflow
