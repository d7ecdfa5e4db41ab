// SPDX-License-Identifier: Apache-2.0
#pragma once
// workflow/engine: runs definitions durably. A run is a stream; its state (position, data,
// governance memory) is saved whole at each fence, so recovery is: load the state, go on. Pure
// steps cost no commit. Threading: public methods from any executor; one run is advanced on one
// shard only.

#include "core/context.h"
#include "core/json.h"
#include "core/result.h"
#include "core/staged.h"
#include "observe/log.h"
#include "observe/metrics.h"
#include "runtime/executor.h"
#include "runtime/task.h"
#include "store/store.h"
#include "workflow/function.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace aios::workflow {

struct DefinitionFile {
  std::string path;
  std::string text;
};
struct DefinitionInfo {
  std::string workflow_namespace, name, version, title;
  std::string digest;                      ///< hex SHA-256 of the text
  std::vector<std::string> trigger_types;  ///< CloudEvents types of schedule.on
};

struct PlacesOptions {
  std::uint32_t all_max = 512;
  std::uint32_t tenant_max = 384;  ///< calls of one tenant that hang hold up no other tenant
};

struct EngineServices {
  store::Store* store = nullptr;
  FunctionServices functions;
  const FunctionRegistry* registry = nullptr;  ///< null: all of functions/*.cc
  std::function<runtime::Executor&(std::string_view run_id)> shard_of;
  runtime::Executor* timers = nullptr;  ///< where wake-ups are watched
  PlacesOptions places;                 ///< how many runs are driven at once
  /// The store came from a backup whose newest commit was then: what runs of that time did since is
  /// not known, so they ask before they act again.
  std::optional<Time> restored_through;
  observe::Metrics* metrics = nullptr;
  observe::Log* log = nullptr;
};

struct StartRequest {
  std::string
      workflow;  ///< name, or namespace/name; the newest installed version unless `version` is set
  std::string version;
  Json input;
  std::string subject;  ///< data subject, for sealing
  std::string run_id;   ///< empty: made here
  /// What must become durable in the same commit (the inbox event, its key, its leaf). Tenant and
  /// epoch are set here.
  store::Transition with;
};

struct RunView {
  std::string id, workflow, version, status;  ///< running, waiting, completed, faulted, cancelled
  Json input, output, error;  ///< output when completed; error (RFC 7807) when faulted
  std::string waiting_for;    ///< explain's first line, empty when not waiting
  std::string waiting_clear;  ///< the same without texts
  std::string unreadable;     ///< page of the error of a state that cannot be read
  std::string incident;       ///< that a person must settle; empty: none
  std::string trace_id;
  std::string starter;  ///< id of the principal that started it; empty: not known
  Time created, updated;
  std::uint64_t steps = 0;
  Json inferences, retrievals, reviews;  ///< governance memory
  Json to_json() const;
  /// For those who may not read payloads: members that cannot hold any, and of errors their pages.
  Json clear_json() const;
};

/// How much of a run is asked for.
enum class Shown : std::uint8_t {
  all,
  clear,  ///< nothing that may hold payload; in lists also nothing of the memories
};

/// A page of runs; `more`: it goes on behind the last one.
struct RunPage {
  std::vector<RunView> runs;
  bool more = false;
};

/// What a person says became of an effect.
struct Resolution {
  std::string incident;  ///< the one that was looked at; the run may wait at another by now
  std::string word;      ///< "retry", "happened" (with result) or "fail"
  Json result;
};

/// What became of the runs that were under way when the engine stopped.
struct Stopped {
  std::uint64_t cut = 0;   ///< their calls were cancelled
  std::uint64_t left = 0;  ///< not even that ended them: the engine must not be destroyed
};

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
  /// Definitions whose schedule.on takes an event of this type.
  std::vector<DefinitionInfo> triggered_by(const TenantId& tenant,
                                           std::string_view event_type) const;

  /// Loads and continues every run that was not finished and has no later wake-up; begins watching
  /// wake-ups.
  Task<Result<void>> recover(Context ctx);
  /// Advances to the first fence (with all places taken: to the first call) and commits with
  /// `request.with`; returns when durable. not_found: no such workflow; invalid_argument: the input
  /// does not fit the definition's schema (nothing is committed then).
  Task<Result<std::string>> start(Context ctx, StartRequest request);
  /// Waits until the run ended (or ctx ends).
  Task<Result<RunView>> wait(Context ctx, std::string run_id);
  Task<Result<RunView>> get(Context ctx, std::string run_id);
  /// The runs that a query gives, in its order; its kind is set here. A page ends before its limit
  /// when it holds 4 MiB of states. A few lists are read at a time, the others wait within ctx; a
  /// row that cannot be read says so and holds up no other.
  Task<Result<RunPage>> list(Context ctx, store::ListQuery query, Shown shown);
  /// Text a person can read: where it is, what it waits for, since when, what will wake it, what
  /// was tried.
  Task<Result<std::string>> explain(Context ctx, std::string run_id, Shown shown);
  Task<Result<std::string>> explain(Context ctx, std::string run_id) {
    return explain(std::move(ctx), std::move(run_id), Shown::all);
  }
  Task<Result<Json>> history(Context ctx, std::string run_id);
  /// Ends the run. An attempt under way is waited for, within its own time; when it stays unknown
  /// whether an effect happened, the run waits at an incident first, with the cancellation noted.
  Task<Result<void>> cancel(Context ctx, std::string run_id, std::string reason);
  /// Answer, correction and the run's resumption are one commit.
  Task<Result<void>> answer(Context ctx, std::string review_id, Json answer);
  /// An incident (effect `none` with unknown outcome, or retries used up): a person says what
  /// happened.
  Task<Result<void>> resolve_incident(Context ctx, std::string run_id, Resolution resolution);
  /// A peer (CallPlan::peer) answers again: runs that wait for it are woken. Any thread.
  void peer_recovered(const TenantId& tenant, const std::string& peer);
  /// Stops advancing at the next fence and returns when every shard is quiet.
  Task<void> stop();
  /// The same with a bound: calls that are under way after `grace` are cancelled, and their runs
  /// stay as they were saved, for the next start.
  Task<Stopped> stop_within(Duration grace);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace aios::workflow
