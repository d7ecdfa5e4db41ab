// SPDX-License-Identifier: Apache-2.0
#pragma once
// workflow/detail/machine: the interpreter. Pure and synchronous: it changes a RunState and a
// RunLog, and stops where the world is needed. No recursion over user data: frames are data, and
// the depth of a document is bounded at load. A Machine is made for one call from the driver and
// holds nothing of its own between two.

#include "workflow/detail/definition.h"
#include "workflow/detail/state.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace aios::workflow {

inline constexpr std::uint32_t steps_per_turn_max = 1'000;     ///< then commit and let others run
inline constexpr std::uint64_t steps_per_run_max = 1'000'000;  ///< then the run faults
/// Emitted and not committed yet: then commit first.
inline constexpr std::size_t events_per_turn_max = 200;
inline constexpr std::size_t event_bytes_per_turn_max = std::size_t{256} << 10;

/// A run to be started beside this one, with the next fence.
struct ChildStart {
  std::string id;
  ChildRun run;
  std::string step;
  bool awaited = true;
};

/// How a run that this one waited for ended.
struct ChildEnd {
  RunStatus status = RunStatus::completed;
  Time ended;
  Json output, error;
  std::string cancel_reason;
  Json context;  ///< of a branch: as it left it
};

/// What happened since the last fence and leaves with the next one.
struct RunLog {
  std::vector<std::string> path;  ///< references of the tasks that ended, in order, the first 200
  std::uint64_t path_dropped = 0;
  std::vector<std::string> events;             ///< emitted CloudEvents, as text
  std::size_t event_bytes = 0;                 ///< of all of them
  std::vector<std::string> abandoned_reviews;  ///< nobody waits for them any more
  std::vector<ChildStart> children;
  std::optional<Listen> listen;  ///< of state.waiting, and not known outside yet
  std::vector<std::string> ended_listeners;
};

enum class Pause : std::uint8_t {
  call,   ///< state.effect says what
  wait,   ///< state.waiting says for what
  spawn,  ///< log.children are to be started
  ended,
  yielded,  ///< steps_per_turn_max steps were made, or much was emitted
};

class Machine final : public TaskScope, private Arguments {
 public:
  Machine(std::string_view run_id, const Definition& definition, RunState& state, RunLog& log,
          runtime::Clock& clock, runtime::Random& random);

  /// Checks state.raw_input against the definition's schema. Changes nothing.
  Result<void> check_input() const;
  /// Makes the first frame from state.raw_input; the run may have faulted after it.
  void begin();
  Pause advance();
  /// The outcome of state.effect.
  void call_done(Json result);
  void call_failed(Problem problem);
  /// The time of state.waiting has come.
  void wake();
  /// Why a faulted run cannot go on where it faulted; nothing: it can. Needs its frames.
  std::optional<Error> cannot_retry() const;
  /// It goes on there: the task that faulted is begun again, or only its output shaped again where
  /// it was done, or it waits again for the runs that it had started. Time limits begin anew.
  void retry();
  /// log.children leave with the next fence; or they cannot be started.
  void children_started();
  void children_refused(Problem problem);
  /// All that it waited for have ended, in the order of state.children.
  void children_done(std::vector<ChildEnd> ends);
  /// The same where that does not count any more, for its time is over. Should that fault the run,
  /// it can go on with them.
  void children_gone();
  /// Whether the event is what it waits for; then it goes on with it.
  bool receive(Json event);
  /// As many runs as may wait for such an event do: the step is told.
  void not_listening(const Error& error);
  bool out_of_time() const;
  void cancel(std::string reason);
  /// The run cannot be saved as it is: it faults, whatever its document says; a cancelled one stays
  /// cancelled.
  void overflow(const Problem& problem);

  const Json& input() const override { return top().input; }
  const std::string& reference() const override { return task().reference; }
  Time now() const override { return clock_.now(); }
  runtime::Random& random() override { return random_; }
  JsonObject& memory() override { return state_.frames.back().memory; }
  Result<Json> evaluate(const Expression& expression, const Json& dot,
                        const JsonObject& more) override;
  void emit(Json event) override;
  std::int64_t event_hops() const override;
  std::string source() const override;

 private:
  const Frame& top() const { return state_.frames.back(); }
  const LoadedTask& task() const;
  void step();
  bool enter_task();
  bool set_task_deadline(Frame& frame, const LoadedTask& entered);
  bool expired();
  void apply(Step step);
  void start_call(Call call);
  void start_wait(const Sleep& pause);
  std::string id_for_later();
  void count_as_done(std::size_t ids);
  void wait_again();
  void start_children(Spawn spawn);
  void start_listening(Listen listen);
  void join_contexts(const std::vector<ChildEnd>& ends);
  void finish_task(Json output, std::optional<Directive> then);
  std::optional<Problem> shape_output(const LoadedTask& done, Json* output, Json* raw);
  void follow(const Directive& directive, Json output);
  void leave(Json output);
  void raise(Problem problem);
  void end_workflow(Json output);
  void fault(const Problem& problem);
  void end(RunStatus status);
  void drop_wait();
  void refuse_output(Json output, std::string_view instance, ProblemType type, const Error& error);
  void note_path(const std::string& reference);
  const Json* argument(std::string_view name) const override;
  Time time() const override { return clock_.now(); }
  Json task_argument() const;
  Json workflow_argument() const;

  std::string_view run_id_;
  const Definition& definition_;
  RunState& state_;
  RunLog& log_;
  runtime::Clock& clock_;
  runtime::Random& random_;
  const Json* output_ = nullptr;      // $output, while export.as is evaluated
  const Json* raw_output_ = nullptr;  // $task.output, while output.as is evaluated
  const JsonObject* more_ = nullptr;  // arguments of one evaluation
  /// Frames that an error on its way up has left, the innermost first: they come back when nobody
  /// catches it.
  std::vector<Frame> unwound_;
  Json nothing_;
  mutable Json task_, workflow_,
      runtime_;  // made when an expression reads them, for one evaluation
};

}  // namespace aios::workflow
