// SPDX-License-Identifier: Apache-2.0
#pragma once
// A world for tests: simulated time, a store whose disk can lose power, an outside system that
// keeps count, and an engine that can be killed and started again.

#include "core/effect.h"
#include "govern/guard.h"
#include "review/review.h"
#include "runtime/sim.h"
#include "runtime/task_group.h"
#include "store/memory.h"
#include "workflow/engine.h"
#include "workflow/function.h"

#include <coroutine>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace aios::workflow::test {

/// The first five lines of a document that has nothing special.
inline constexpr const char* head_text = R"(document:
  dsl: '1.0.3'
  namespace: test
  name: one
  version: '1.0.0'
)";

inline bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

/// What the outside system does with the next request.
enum class Behaviour : std::uint8_t {
  answer,       ///< done, answered
  lose_reply,   ///< done, the answer is lost
  drop,         ///< the request is lost, nobody knows
  fail_before,  ///< certainly not done, worth a retry
  refuse,       ///< certainly not done, for good
  block,        ///< not even sent: the breaker has opened since the intent
  hang,         ///< done, and nothing comes back until release_hanging()
  late,   ///< the answer is lost at once, and it is done a while later, within the call's timeout
  crawl,  ///< the same, and it is done two seconds after that timeout, within the settle window
  deny,   ///< it does not take the secret
  spare,  ///< certainly not done, and no try of the caller's: the connection was refused
};

/// Counts what was done to it. `key` honours effect ids; the others do it again each time they are
/// asked.
struct OutsideSystem {
  static constexpr int retries_max = 3;  ///< of what surely failed
  std::map<std::string, int> done;       ///< effect id -> how often it happened
  struct Failed {
    EffectClass effect = EffectClass::none;
    int times = 0;
  };
  std::map<std::string, Failed> failed;  ///< effect id -> how often it said that it surely did not
  std::map<std::string, Json> results;
  std::deque<Behaviour> script;        ///< empty: answer
  std::function<Behaviour()> chooser;  ///< used when the script is empty
  int requests = 0, lookups = 0, denied = 0;
  int inside = 0, inside_max = 0;    ///< requests at one time
  bool deaf = false;                 ///< a call that hangs heeds no cancellation
  int turn_away = 0;                 ///< so many attempts are blocked before they have an intent
  std::function<void()> on_prepare;  ///< called once, while an attempt is prepared
  bool lookup_fails = false;
  std::string origin;        ///< where it is
  bool names_effect = true;  ///< requests carry the effect's id
  bool strict = false;       ///< a result has the member `effect`
  bool deny = false;
  bool away = false;  ///< it was taken away: no call of it can be planned
  std::vector<runtime::OneShot<void>> hanging;
  Duration latency{std::chrono::milliseconds(5)};

  std::function<void(Duration, std::function<void()>)> later;  ///< set by World

  Behaviour next();
  Json apply(const std::string& effect_id, EffectClass effect, const Json& arguments);
  void release_hanging();
};

/// call: system:1.0.0@default with: {class: key, ...}
void register_system(FunctionRegistry& registry, OutsideSystem& system);

/// The executor that is given, by a wall clock that may be set.
class SetExecutor final : public runtime::Executor, private runtime::Clock {
 public:
  explicit SetExecutor(runtime::Executor& executor) : executor_(executor) {}
  void post(std::function<void()> work) override { executor_.post(std::move(work)); }
  void post(std::coroutine_handle<> handle) override { executor_.post(handle); }
  TimerId call_at(Instant at, std::function<void()> work) override {
    return executor_.call_at(at, std::move(work));
  }
  void cancel(TimerId timer) override { executor_.cancel(timer); }
  runtime::Clock& clock() override { return *this; }
  runtime::Random& random() override { return executor_.random(); }
  Duration ahead{0};  ///< the wall clock, of that of the executor

 private:
  Time now() override { return executor_.clock().now() + ahead; }
  Instant instant() override { return executor_.clock().instant(); }
  runtime::Executor& executor_;
};

class World {
 public:
  explicit World(std::uint64_t seed = 1);
  ~World();
  /// Opens the store and the engine, installs the documents, recovers.
  void start();
  /// start() that may fail: then nothing runs, as after a crash.
  Result<void> try_start();
  /// Power cut: what was not synced is gone. start() afterwards.
  void crash();
  /// The engine is taken for dead and goes on until the next crash(), with the store that it has.
  /// start() afterwards.
  void stall();
  void add_document(std::string text);
  void replace_documents(std::vector<std::string> texts);

  std::string run_workflow(const std::string& name, Json input);
  std::string run_workflow_of(const TenantId& tenant, const std::string& name, Json input);
  RunView view(const std::string& run_id);
  std::uint64_t count(const std::string& status);
  RunView finish(const std::string& run_id, Duration longest = std::chrono::hours(1));
  Context ctx();

  runtime::SimExecutor executor;
  SetExecutor set_executor{executor};
  bool on_set_clock = false;  ///< from the next start() the engine runs on set_executor
  std::shared_ptr<store::MemoryDisk> disk = std::make_shared<store::MemoryDisk>();
  FunctionRegistry registry;
  OutsideSystem system;
  std::unique_ptr<store::Store> store;
  std::unique_ptr<Engine> engine;
  EngineServices services;    ///< functions.* may be set before start()
  govern::Guard guard;        ///< load policies before start()
  Duration commit_takes{0};   ///< a slow disk: nothing is durable before
  bool with_reviews = false;  ///< reviews over the store; `review` must be registered
  std::vector<TenantId> tenants{default_tenant()};  ///< who have the documents
  /// Instead of a store on `disk`.
  std::function<Result<std::unique_ptr<store::Store>>()> open_store;

 private:
  static Task<void> bury(std::shared_ptr<Engine> engine);
  Result<std::unique_ptr<store::Store>> open();
  void end_engine();
  void bury_stalled();
  std::vector<DefinitionFile> documents_;
  std::vector<std::unique_ptr<review::Reviews>> reviews_;
  std::vector<std::shared_ptr<Engine>> dead_engines_;
  std::vector<std::shared_ptr<Engine>> stalled_engines_;
  std::vector<std::unique_ptr<store::Store>> dead_stores_;
  std::unique_ptr<runtime::TaskGroup> burials_;
};

}  // namespace aios::workflow::test
