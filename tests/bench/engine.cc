// SPDX-License-Identifier: Apache-2.0
// bench engine: durable runs in this process, on the sqlite engine, with nothing left out: sealed
// payloads, audit leaves, preconditions, group commit. Method: docs/benchmarks.md.
#include "must.h"
#include "pure.h"
#include "report.h"

#include "core/crypto.h"
#include "runtime/shards.h"
#include "runtime/task_group.h"
#include "store/store.h"
#include "workflow/engine.h"

#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <thread>

namespace aios::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t callers = 128;
constexpr std::size_t shard_count = 2;

constexpr std::string_view effect_document = R"(
document: {dsl: '1.0.3', namespace: bench, name: effect, version: '1.0.0'}
do:
  - first: {call: 'outside:1.0.0@default', with: {payload: '${ .payload }'}}
  - second: {call: 'outside:1.0.0@default', with: {payload: '${ .payload }'}}
  - third: {call: 'outside:1.0.0@default', with: {payload: '${ .payload }'}}
)";

/// Stands for an outside system that honours keys and answers at once: what is measured is what the
/// engine does around it.
class Outside final : public workflow::Function {
 public:
  Result<workflow::CallPlan> plan(const Context&, const workflow::CallRequest&) override {
    workflow::CallPlan plan;
    plan.effect = EffectClass::key;
    return plan;
  }
  Task<govern::Refusable<workflow::PreparedCall>> prepare(Context,
                                                          workflow::CallRequest request) override {
    workflow::PreparedCall prepared;
    prepared.intent.push_back({leaf("effect_intent", request)});
    co_return prepared;
  }
  Task<workflow::CallOutcome> perform(Context, workflow::PreparedCall,
                                      workflow::CallRequest request) override {
    workflow::CallOutcome outcome;
    outcome.result = std::move(request.arguments);
    outcome.leaves.push_back({leaf("effect_outcome", request)});
    co_return outcome;
  }

 private:
  /// As long as a connector's leaf is.
  static std::string leaf(std::string_view kind, const workflow::CallRequest& request) {
    return fmt::format(
        R"({{"effect":"{}","kind":"{}","step":"{}","stream":"{}","pad":"{:0>256}"}})",
        request.effect_id, kind, request.step, request.run_id, 0);
  }
};

void register_outside(workflow::FunctionRegistry& registry) {
  workflow::FunctionEntry entry;
  entry.name = "outside";
  entry.version = "1.0.0";
  entry.summary = "An outside system that answers at once.";
  entry.arguments_schema = R"({"type": "object"})";
  entry.result_schema = R"({"type": "object"})";
  entry.make = [](const workflow::FunctionServices&) { return std::make_unique<Outside>(); };
  registry.add(std::move(entry));
}

Json effect_input() { return JsonObject{{"payload", std::string(240, 'p')}}; }

/// One store and engine on a new directory.
class World {
 public:
  World(const std::string& folder, std::uint32_t batch_max)
      : folder_(folder),
        shards_(shard_count) {
    std::filesystem::remove_all(folder);
    std::filesystem::create_directories(std::filesystem::path(folder).parent_path());
    store::StoreOptions options;
    options.directory = folder;
    options.batch_max = batch_max;
    auto opened = store::open_store(options, runtime::system_clock());
    if (!opened.ok()) {
      give_up(opened.error().text());
    }
    store_ = std::move(*opened);
    register_outside(registry_);
    workflow::EngineServices services;
    services.store = store_.get();
    services.functions.clock = &runtime::system_clock();
    services.registry = &registry_;
    services.shard_of = [this](std::string_view id) -> runtime::Executor& {
      return shards_.of(id);
    };
    services.timers = &shards_.at(0);
    engine_ = std::make_unique<workflow::Engine>(std::move(services));
    ctx_ = system_context(default_tenant(), "bench");
    const auto errors = engine_->install(
        ctx_.tenant,
        {{"pure.yaml", std::string(pure_document)}, {"effect.yaml", std::string(effect_document)}});
    if (!errors.empty()) {
      give_up(errors.front().text());
    }
    auto recovered = shards_.run(0, engine_->recover(ctx_));
    if (!recovered.ok()) {
      give_up(recovered.error().text());
    }
  }
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  /// Stops and folds; the directory stays. @return its bytes
  std::uint64_t close() {
    shards_.run(0, engine_->stop());
    auto closed = store_->close();
    if (!closed.ok()) {
      give_up(closed.error().text());
    }
    engine_.reset();
    store_.reset();
    shards_.stop();
    return bytes_below(folder_);
  }

  std::uint64_t completed() {
    store::ListQuery query;
    query.tenant = ctx_.tenant;
    query.status = "completed";
    auto count = shards_.run(0, store_->count(ctx_, std::move(query)));
    if (!count.ok()) {
      give_up(count.error().text());
    }
    return *count;
  }

  runtime::Shards& shards() { return shards_; }
  workflow::Engine& engine() { return *engine_; }
  store::Store& store() { return *store_; }
  const Context& ctx() const { return ctx_; }

 private:
  std::string folder_;
  runtime::Shards shards_;
  std::unique_ptr<store::Store> store_;
  workflow::FunctionRegistry registry_;
  std::unique_ptr<workflow::Engine> engine_;
  Context ctx_;
};

/// What a phase did, as it is seen by its callers.
struct Load {
  std::string workflow;
  Json input;
  Clock::time_point end;
  std::atomic<std::uint64_t> runs{0};
};

/// Starts run after run until the time is over. A run of pure steps has ended when start() answers;
/// one with effects is waited for.
Task<void> call_until(World* world, Load* load, std::vector<double>* latencies_us) {
  const bool has_effects = load->workflow == "effect";
  while (Clock::now() < load->end) {
    const auto begin = Clock::now();
    workflow::StartRequest request;
    request.workflow = load->workflow;
    request.input = load->input;
    auto started = co_await world->engine().start(world->ctx(), std::move(request));
    if (!started.ok()) {
      give_up(started.error().text());
    }
    if (has_effects) {
      auto ended = co_await world->engine().wait(world->ctx(), *started);
      if (!ended.ok()) {
        give_up(ended.error().text());
      }
      if (ended->status != "completed") {
        give_up("a run is " + ended->status);
      }
    }
    const std::chrono::duration<double, std::micro> took = Clock::now() - begin;
    latencies_us->push_back(took.count());
    load->runs.fetch_add(1, std::memory_order_relaxed);
  }
}

Task<void> call_on_shard(World* world, Load* load, std::size_t count,
                         std::vector<double>* latencies_us) {
  runtime::TaskGroup group(*runtime::Executor::current());
  for (std::size_t i = 0; i < count; ++i) {
    group.spawn(call_until(world, load, latencies_us));
  }
  co_await group.join();
}

struct Phase {
  double runs = 0;
  double per_second = 0;
  double cpu_us = 0;   ///< a run
  double cores = 0;    ///< that this process had; far below all of them: others were at work
  double commits = 0;  ///< group commits
  double syncs = 0;
  double p50_us = 0;
  double p99_us = 0;
};

Phase measure(World& world, std::string_view workflow, double seconds, std::size_t count) {
  Load load;
  load.workflow = workflow;
  load.input = workflow == "pure" ? pure_input() : effect_input();
  const std::size_t shards = std::min(count, shard_count);
  std::vector<std::vector<double>> latencies(shards);
  const auto before = world.store().stats();
  const auto cpu = process_cpu();
  const auto begin = Clock::now();
  load.end =
      begin + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  std::vector<std::thread> waiting;
  for (std::size_t i = 0; i < shards; ++i) {
    waiting.emplace_back([&, i] {
      world.shards().run(i, call_on_shard(&world, &load, count / shards, &latencies[i]));
    });
  }
  for (auto& thread : waiting) {
    thread.join();
  }
  const std::chrono::duration<double> took = Clock::now() - begin;
  const std::chrono::duration<double, std::micro> spent = process_cpu() - cpu;
  const auto after = world.store().stats();
  std::vector<double> all;
  for (auto& one : latencies) {
    all.insert(all.end(), one.begin(), one.end());
  }
  Phase phase;
  phase.runs = static_cast<double>(load.runs.load());
  phase.per_second = phase.runs / took.count();
  phase.cpu_us = spent.count() / std::max(1.0, phase.runs);
  phase.cores = spent.count() / std::chrono::duration<double, std::micro>(took).count();
  phase.commits = static_cast<double>(after.batches - before.batches);
  phase.syncs = static_cast<double>(after.syncs - before.syncs);
  phase.p99_us = quantile(all, 0.99);
  phase.p50_us = quantile(std::move(all), 0.5);
  return phase;
}

std::string describe(std::string_view what, const Phase& phase) {
  return fmt::format(
      "{}: {:.0f} runs, p50 {:.0f} us, p99 {:.0f} us, {:.1f} us of CPU a run, {:.2f} cores in use, "
      "{:.1f} runs a group commit, {:.0f} syncs",
      what, phase.runs, phase.p50_us, phase.p99_us, phase.cpu_us, phase.cores,
      phase.runs / std::max(1.0, phase.commits), phase.syncs);
}

/// Everything that was answered is there, and each run ended.
void expect_completed(World& world, double runs) {
  const auto found = static_cast<double>(world.completed());
  if (found != runs) {
    give_up(fmt::format("{:.0f} runs are completed, {:.0f} were answered", found, runs));
  }
}

struct Pure {
  Phase phase;
  double bytes_per_run = 0;
};

/// 128 callers; what their runs leave on the disk when all is folded and closed.
Pure measure_pure(const Options& options, double warm) {
  World empty(options.folder + "/empty", 512);
  const auto empty_bytes = static_cast<double>(empty.close());
  World world(options.folder + "/pure", 512);
  const auto first = measure(world, "pure", warm, callers);
  const auto many = measure(world, "pure", options.seconds, callers);
  const double runs = first.runs + many.runs;
  expect_completed(world, runs);
  return {many, (static_cast<double>(world.close()) - empty_bytes) / std::max(1.0, runs)};
}

Phase measure_effects(const Options& options, double warm) {
  World world(options.folder + "/effect", 512);
  const auto first = measure(world, "effect", warm, callers);
  const auto many = measure(world, "effect", options.seconds, callers);
  expect_completed(world, first.runs + many.runs);
  world.close();
  return many;
}

struct Alone {
  Phase phase;
  double fsync_us = 0;
};

/// One caller, and this disk's own time just before and just after: the lower one counts, so that a
/// disk that is still busy with what was written does not make the engine look better.
Alone measure_alone(const Options& options) {
  World world(options.folder + "/alone", 512);
  const double before = fdatasync_us(options.folder + "/alone", 300);
  const auto phase = measure(world, "pure", options.seconds / 2, 1);
  const double after = fdatasync_us(options.folder + "/alone", 300);
  world.close();
  return {phase, std::min(before, after)};
}

/// What the group commit is worth: the same callers, and a commit holds one transition.
Phase measure_ungrouped(const Options& options) {
  World world(options.folder + "/ungrouped", 1);
  const auto phase = measure(world, "pure", options.seconds / 2, callers);
  world.close();
  return phase;
}

int run(const Options& options) {
  const double warm = std::min(1.0, options.seconds / 4);
  const auto pure = measure_pure(options, warm);
  const auto effect = measure_effects(options, warm);
  const auto alone = measure_alone(options);
  const auto ungrouped = measure_ungrouped(options);

  Report report("engine");
  constexpr auto none = std::nullopt;
  const double fsyncs = alone.phase.p50_us / std::max(1.0, alone.fsync_us);
  report.add({"pure_inproc_per_s", pure.phase.per_second, "runs/s", 8000, Better::higher});
  report.add({"effect_inproc_per_s", effect.per_second, "runs/s", 4000, Better::higher});
  report.add({"one_caller_p50_fsyncs", fsyncs, "fsyncs", 4, Better::lower});
  report.add({"cpu_us_per_pure_run", pure.phase.cpu_us, "us", 150, Better::lower});
  report.add({"bytes_on_disk_per_run", pure.bytes_per_run, "bytes", 2500, Better::lower});
  report.add({"cpu_us_per_effect_run", effect.cpu_us, "us", none, Better::lower});
  report.add({"fdatasync_p50_us", alone.fsync_us, "us", none, Better::lower});
  report.add({"one_caller_p50_us", alone.phase.p50_us, "us", none, Better::lower});
  report.add({"ungrouped_pure_per_s", ungrouped.per_second, "runs/s", none, Better::higher});
  measure_http(options, &report);
  report.note(describe("pure, 128 callers", pure.phase));
  report.note(describe("effect, 128 callers", effect));
  report.note(describe("pure, 1 caller", alone.phase));
  report.note(describe("pure, 128 callers, a commit holds one transition", ungrouped));
  std::error_code ignored;
  std::filesystem::remove_all(options.folder, ignored);
  return report.finish(options.json) ? 0 : 1;
}

}  // namespace
}  // namespace aios::bench

int main(int argc, char** argv) {
  return aios::bench::run(aios::bench::read_options(argc, argv, "engine"));
}
