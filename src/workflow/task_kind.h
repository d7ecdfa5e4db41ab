// SPDX-License-Identifier: Apache-2.0
#pragma once
// workflow/task_kind: the interface of a task type (tasks/*.cc, one file each): how it is read from
// the document and what it does. A task never waits and never leaves the process itself: it says
// what it needs as a Step, and the machine and the driver do the rest durably. Bodies are immutable
// and shared by all runs; what a task must remember stands in TaskScope::memory(), which is saved
// with the run.

#include "core/json.h"
#include "core/result.h"
#include "core/time.h"
#include "runtime/executor.h"
#include "workflow/expression.h"
#include "workflow/problem.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace aios::workflow {

/// Where the flow goes after a task.
struct Directive {
  enum class Kind : std::uint8_t { next, exit, end, go };
  Kind kind = Kind::next;
  std::uint32_t index = 0;  ///< of the task to go to, in the same list
};

/// The task is done. `then` overrides the task's own directive.
struct Done {
  Json output;
  std::optional<Directive> then;
};
/// Run a list of tasks, then ask child_done(). `list` came from TaskLoader::tasks().
struct Enter {
  std::uint32_t list = 0;
  Json input;
  JsonObject variables;  ///< runtime arguments that exist in that list only (a caught error)
};
struct Raise {
  Problem problem;
};
/// Call a function; its result is the task's output.
struct Call {
  std::string function;
  Json arguments;
};
/// Park, then ask resumed().
struct Sleep {
  Duration pause{0};
};
/// One run beside this one: of a workflow, or of a list of this document (a branch).
struct ChildRun {
  std::string name;                   ///< of the branch, or namespace/name of the workflow
  std::string version;                ///< empty: the newest
  std::optional<std::uint32_t> list;  ///< set: a branch
  Json input;
};
/// Start runs beside this one and park until they have ended, then ask children_done(). What one of
/// them raised is raised here instead.
struct Spawn {
  enum class Until : std::uint8_t {
    all = 0,      ///< each has ended; one that faults ends the others
    first = 1,    ///< one has ended; the others are cancelled
    started = 2,  ///< nobody waits for them
  };
  std::vector<ChildRun> children;
  Until until = Until::all;
};
/// Park until an event comes that fits, then ask received().
struct Listen {
  std::string type;
  /// Attributes that must be as here, and {from, expect} that must come out so: looked at before
  /// the run is.
  JsonObject attributes;
  JsonArray correlations;
};
using Step = std::variant<Done, Enter, Raise, Call, Sleep, Spawn, Listen>;

/// Extension attribute of emitted CloudEvents: how many runs stand behind one.
inline constexpr std::string_view hops_attribute = "aioshops";

/// What a task sees of the run it is executed for. Borrowed for one call.
class TaskScope {
 public:
  virtual ~TaskScope() = default;
  virtual const Json& input() const = 0;  ///< after input.from
  virtual const std::string& reference() const = 0;
  virtual Time now() const = 0;
  virtual runtime::Random& random() = 0;
  virtual JsonObject& memory() = 0;
  /// @param more  arguments for this evaluation beside those that exist here
  virtual Result<Json> evaluate(const Expression& expression, const Json& dot,
                                const JsonObject& more) = 0;
  /// A CloudEvent that leaves with the next fence.
  virtual void emit(Json event) = 0;
  /// How many runs, one started by an event of the one before, stand behind this one's event.
  virtual std::int64_t event_hops() const = 0;
  virtual std::string source() const = 0;  ///< "/<namespace>/<name>/<version>"
  Result<Json> evaluate(const Expression& expression) { return evaluate(expression, input(), {}); }
  Raise expression_failed(const Error& error) const {
    return Raise{make_problem(ProblemType::expression, error.text(), reference())};
  }
};

class TaskBody {
 public:
  virtual ~TaskBody() = default;
  virtual Step start(TaskScope& scope) const = 0;
  /// The list this task entered ended with `output`.
  virtual Step child_done(TaskScope& scope, Json output) const;
  /// A task of the list it entered raised; nothing: not caught here.
  virtual std::optional<Step> caught(TaskScope& scope, const Problem& problem) const;
  virtual Step resumed(TaskScope& scope) const;  ///< after Sleep
  /// @param outputs  in the order of Spawn::children; of `first` the one, of `started` none
  virtual Step children_done(TaskScope& scope, std::vector<Json> outputs) const;
  /// Whether an event is the one it listens for, which looked so from outside.
  virtual bool fits(TaskScope& scope, const Json& event) const;
  virtual Step received(TaskScope& scope, Json event) const;
};

/// A duration of the document: fixed, or an expression that gives ISO 8601 text.
struct DurationValue {
  Duration fixed{0};
  Expression expression;
  Result<Duration> evaluate(TaskScope& scope) const;
};

/// Reads parts of a document and collects what is wrong, each with file, line and column. `pointer`
/// is the JSON pointer of the part. After an error reading goes on: a document is refused as a
/// whole, with all its errors.
class TaskLoader {
 public:
  virtual ~TaskLoader() = default;
  virtual void fail(const std::string& pointer, std::string message, int page) = 0;
  /// The member when present and of that type; an error when it has another type, or is required
  /// and absent.
  virtual const Json* member(const Json& node, const std::string& pointer, std::string_view name,
                             std::string_view type, bool required) = 0;
  /// An error for each member that is not in the list, naming the nearest that is.
  virtual void only(const Json& node, const std::string& pointer,
                    const std::vector<std::string>& allowed) = 0;
  virtual Expression expression(const Json& value, const std::string& pointer, BareText bare,
                                const std::vector<std::string>& more_arguments) = 0;
  /// Checks an expression over something outside the run: it reads no arguments.
  virtual void extraction(const Json& value, const std::string& pointer) = 0;
  virtual DurationValue duration(const Json& value, const std::string& pointer) = 0;
  virtual Directive directive(const Json& value, const std::string& pointer) = 0;
  /// A list of tasks inside this one. @param variables  names of arguments that exist in it
  virtual std::uint32_t tasks(const Json& value, const std::string& pointer,
                              const std::vector<std::string>& variables) = 0;
  /// A task that is a list of its own, which a run beside this one goes through. `pointer` is that
  /// of the object with the task's name.
  virtual std::uint32_t branch(const Json& value, const std::string& pointer) = 0;
  /// A workflow that a task runs: it must be among those that are checked together.
  virtual void runs(const std::string& workflow, const std::string& version,
                    const std::string& pointer) = 0;
  /// An event type that a task waits for: such events are kept for it.
  virtual void listens(const std::string& type) = 0;
  /// The value itself, or what a name stands for in `use.<section>`; null with an error when it
  /// stands for nothing.
  virtual const Json* referable(const Json& value, const std::string& pointer,
                                std::string_view section, std::string* resolved_pointer) = 0;
  /// A secret that a task needs by name: `use.secrets` must list it.
  virtual void secret(const std::string& name, const std::string& pointer) = 0;
  /// Checks a call's name and arguments. @return the function's plain name, empty with an error.
  virtual std::string function(const std::string& call, const Json* arguments,
                               const std::string& pointer) = 0;
};

struct TaskKind {
  std::string keyword;  ///< the member that makes a task one of this kind
  std::string summary;
  std::vector<std::string> members;  ///< its own members, the keyword among them
  std::unique_ptr<TaskBody> (*load)(TaskLoader& loader, const Json& node,
                                    const std::string& pointer) = nullptr;
};
class TaskRegistry {
 public:
  void add(TaskKind kind) { kinds_.push_back(std::move(kind)); }
  const std::vector<TaskKind>& kinds() const { return kinds_; }

 private:
  std::vector<TaskKind> kinds_;
};
void register_all_tasks(TaskRegistry& registry);

}  // namespace aios::workflow
