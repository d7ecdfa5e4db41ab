// SPDX-License-Identifier: Apache-2.0
// bench audit: leaves as an effect makes them, an intent with the guard's decision and an outcome
// that commits to request and answer, two of them a transition with their openings sealed beside
// them; 128 callers, the sqlite engine, group commit. Behind them the tree is folded once a second,
// as in a server. The clock stops when the last leaf is under a signed checkpoint. Method:
// docs/benchmarks.md.
#include "must.h"
#include "report.h"

#include "core/text.h"
#include "govern/audit.h"
#include "govern/audit_verify.h"
#include "govern/guard.h"
#include "govern/opening.h"
#include "runtime/shards.h"
#include "runtime/task_group.h"
#include "store/store.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <thread>
#include <utility>

namespace aios::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t callers = 128;
constexpr std::size_t shard_count = 2;
constexpr std::size_t leaves_per_commit = 2;
constexpr auto fold_period = std::chrono::seconds(1);

struct World {
  explicit World(const std::string& at) : folder(at), shards(shard_count), pool(2) {
    std::filesystem::remove_all(folder);
    std::filesystem::create_directories(std::filesystem::path(folder).parent_path());
    store::StoreOptions options;
    options.directory = folder;
    store = must(store::open_store(options, runtime::system_clock()));
    log = must(
        govern::AuditLog::open(folder + "/audit", folder + "/audit-signing.key", "bench", &pool));
    must(guard.load(default_tenant(),
                    {{"egress.rego",
                      "package aios.connector_egress\n\ndefault allow := false\n\n"
                      "allow if input.connector.name == \"help-desk\"\n"}},
                    {}));
  }

  std::string folder;
  runtime::Shards shards;
  runtime::BlockingPool pool;
  std::unique_ptr<store::Store> store;
  std::unique_ptr<govern::AuditLog> log;
  govern::Guard guard;
  Context ctx = system_context(default_tenant(), "bench");
  std::atomic<std::uint64_t> commits{0};
  std::atomic<bool> filled{false};
  Clock::time_point end;
};

/// One effect: what it was allowed to ask, and what was answered.
store::Transition effect(World& world, std::size_t caller, std::size_t number) {
  const Context& ctx = world.ctx;
  const Time now = runtime::system_clock().now();
  const std::string id = fmt::format("evt_{:03}_{:012}", caller, number);
  const Json request = JsonObject{
      {"path", "/refunds"},
      {"body", JsonObject{{"order", fmt::format("O-{}", number)}, {"cents", 1250 + number % 900}}}};
  auto ruling = world.guard.ask(
      ctx, govern::GuardPoint::connector_egress,
      JsonObject{{"connector", JsonObject{{"name", "help-desk"}}}, {"operation", "pay_refund"}});
  if (!ruling.allowed()) {
    give_up(ruling.to_error().text());
  }
  govern::LeafFacts intent(govern::LeafKind::effect_intent);
  intent.stream = id;
  intent.step = "/do/3/refund";
  intent.facts = {{"connector", "help-desk"}, {"operation", "pay_refund"}, {"attempt", 1}};
  intent.decisions.push_back(std::move(ruling.decision));
  intent.payload = govern::content_of(request);
  govern::LeafFacts outcome(govern::LeafKind::effect_outcome);
  outcome.stream = id;
  outcome.step = intent.step;
  outcome.outcome = "done";
  outcome.facts = intent.facts;
  outcome.contents["request"] = intent.payload;
  outcome.contents["answer"] = fmt::format(R"({{"id":"REFUND-{}","status":"paid"}})", number);
  store::Transition transition;
  transition.tenant = ctx.tenant;
  transition.epoch = world.store->epoch();
  transition.leaves.push_back(govern::make_leaf(ctx, now, intent));
  transition.leaves.push_back(govern::make_leaf(ctx, now, outcome));
  std::string openings = "[";
  for (const auto& leaf : transition.leaves) {
    openings += openings.size() > 1 ? "," : "";
    govern::append_opening(leaf, &openings);
  }
  openings += "]";
  store::StreamWrite write;
  write.kind = store::StreamKind::event;
  write.id = id;
  write.state = store::Payload{"", std::move(openings)};
  write.status = "accepted";
  write.label = "bench";
  write.end = store::StreamEnd::closed;
  transition.streams.push_back(std::move(write));
  return transition;
}

Task<void> commit_until(World* world, std::size_t caller) {
  for (std::size_t number = 0; Clock::now() < world->end; ++number) {
    auto transition = effect(*world, caller, number);
    auto committed = co_await world->store->commit(world->ctx, std::move(transition));
    if (!committed.ok()) {
      give_up(committed.error().text());
    }
    world->commits.fetch_add(1, std::memory_order_relaxed);
  }
}

Task<void> commit_on_shard(World* world, std::size_t first, std::size_t count) {
  runtime::TaskGroup group(*runtime::Executor::current());
  for (std::size_t i = 0; i < count; ++i) {
    group.spawn(commit_until(world, first + i));
  }
  co_await group.join();
}

/// As a server does it, and once more when everything is written.
Task<void> keep_folded(World* world) {
  bool last = false;
  while (!last) {
    last = world->filled;
    auto folded = co_await world->log->fold(*world->store);
    if (!folded.ok()) {
      give_up(folded.error().text());
    }
    const auto next = Clock::now() + fold_period;
    while (!last && !world->filled && Clock::now() < next) {
      auto rested = co_await runtime::sleep_for(world->ctx, std::chrono::milliseconds(10));
      if (!rested.ok()) {
        give_up(rested.error().text());
      }
    }
  }
}

struct Measured {
  double leaves = 0;
  double per_second = 0;
  double cpu_us = 0;
  double cores = 0;
  double tail_ms = 0;  ///< from the last commit to the checkpoint over it
  double leaves_per_sync = 0;
};

Measured measure(World& world, double seconds) {
  const auto before = world.store->stats();
  const auto cpu = process_cpu();
  const auto begin = Clock::now();
  world.end =
      begin + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  std::thread folding([&] { world.shards.run(0, keep_folded(&world)); });
  std::vector<std::thread> waiting;
  for (std::size_t i = 0; i < shard_count; ++i) {
    waiting.emplace_back([&world, i] {
      const std::size_t count = callers / shard_count;
      world.shards.run(i, commit_on_shard(&world, i * count, count));
    });
  }
  for (auto& thread : waiting) {
    thread.join();
  }
  const auto written = Clock::now();
  world.filled = true;
  folding.join();
  const std::chrono::duration<double> took = Clock::now() - begin;
  const std::chrono::duration<double, std::micro> spent = process_cpu() - cpu;
  const auto after = world.store->stats();
  Measured out;
  out.leaves = static_cast<double>(world.commits.load() * leaves_per_commit);
  out.per_second = out.leaves / took.count();
  out.cpu_us = spent.count() / std::max(1.0, out.leaves);
  out.cores = spent.count() / 1e6 / took.count();
  out.tail_ms = std::chrono::duration<double, std::milli>(Clock::now() - written).count();
  out.leaves_per_sync = out.leaves / std::max(1.0, static_cast<double>(after.syncs - before.syncs));
  return out;
}

/// Every leaf that was answered is in the store, under the checkpoint, and commits to something.
/// @return leaves a second that the verifier reads
double expect_signed(World& world, const Measured& measured) {
  const auto stored =
      static_cast<double>(must(world.shards.run(0, world.store->leaf_count(world.ctx))));
  double committing = 0;
  govern::LogCheck check;
  check.directory = world.folder + "/audit/" + default_tenant().text();
  check.verifier_key = world.log->verifier_key();
  check.see = [&committing](std::uint64_t, std::string_view leaf) {
    committing += leaf.find(R"("commitments":{)") == std::string_view::npos ? 0 : 1;
  };
  const auto begin = Clock::now();
  const auto report = must(govern::verify_log(std::move(check)));
  const std::chrono::duration<double> took = Clock::now() - begin;
  const auto size = static_cast<double>(report.size);
  if (stored != measured.leaves || size != stored || committing != stored) {
    give_up(
        fmt::format("{:.0f} leaves were answered, {:.0f} are stored, {:.0f} signed, {:.0f} "
                    "commit to something",
                    measured.leaves, stored, size, committing));
  }
  return size / took.count();
}

int run(const Options& options) {
  World world(options.folder);
  const auto measured = measure(world, options.seconds);
  const double verified = expect_signed(world, measured);
  must(world.store->close());
  const double fsync_us = fdatasync_us(options.folder, 300);
  const double bytes = static_cast<double>(bytes_below(options.folder));

  Report report("audit");
  constexpr auto none = std::nullopt;
  report.add({"leaves_per_s", measured.per_second, "leaves/s", 20000, Better::higher});
  report.add({"cpu_us_per_leaf", measured.cpu_us, "us", none, Better::lower});
  report.add({"leaves_per_commit", measured.leaves_per_sync, "", none, Better::higher});
  report.add({"bytes_on_disk_per_leaf", bytes / std::max(1.0, measured.leaves), "bytes", none,
              Better::lower});
  report.add({"verified_per_s", verified, "leaves/s", none, Better::higher});
  report.add({"fdatasync_p50_us", fsync_us, "us", none, Better::lower});
  report.note(fmt::format(
      "{:.0f} leaves by {} callers, {} a transition, {:.2f} cores in use; the last checkpoint was "
      "signed {:.0f} ms after the last commit; leaves_per_s has that in it",
      measured.leaves, callers, leaves_per_commit, measured.cores, measured.tail_ms));
  world.log.reset();
  world.store.reset();
  world.shards.stop();
  std::error_code ignored;
  std::filesystem::remove_all(options.folder, ignored);
  return report.finish(options.json) ? 0 : 1;
}

}  // namespace
}  // namespace aios::bench

int main(int argc, char** argv) {
  return aios::bench::run(aios::bench::read_options(argc, argv, "audit"));
}
