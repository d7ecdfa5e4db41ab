// SPDX-License-Identifier: Apache-2.0
// Faults that only a simulated disk can be asked for.
#include "runtime/sim.h"
#include "runtime/task_group.h"
#include "store/test/subject.h"

#include <fmt/format.h>

#include <future>
#include <thread>

using namespace aios;
using namespace aios::store;
using namespace aios::store::testing;

namespace {

Transition writing(Subject& subject, StreamWrite stream) {
  Transition out = subject.transition();
  out.streams.push_back(std::move(stream));
  return out;
}

Task<void> commit_into(Store& store, Context ctx, Transition transition, int* answered) {
  auto answer = co_await store.commit(std::move(ctx), std::move(transition));
  *answered += answer.ok() ? 1 : 0;
}

Task<void> commit_many(Store& store, Context ctx, int count, int* answered) {
  runtime::TaskGroup group(*runtime::Executor::current());
  for (int i = 0; i < count; ++i) {
    Transition out;
    out.tenant = ctx.tenant;
    out.epoch = store.epoch();
    out.streams.push_back(write(fmt::format("run_{}", i), 0, "x"));
    group.spawn(commit_into(store, ctx, std::move(out), answered));
  }
  co_await group.join();
}

}  // namespace

TEST_CASE("store: what was not synced is lost in a crash, and nobody was told otherwise") {
  Subject subject(Kind::memory_threads);
  subject.must_commit(writing(subject, write("run_a", 0, "kept")));
  subject.disk().hold_syncs(true);
  auto answer = Result<Committed>(Committed());
  std::thread caller([&] { answer = subject.commit(writing(subject, write("run_b", 0, "lost"))); });
  subject.disk().crash();
  caller.join();
  CHECK(!answer.ok());
  subject.reopen();
  CHECK(subject.stream("run_a").state == "kept");
  auto lost = subject.run(subject.store().stream(subject.context(), StreamKind::run, "run_b"));
  CHECK(lost.error().code() == Code::not_found);
}

TEST_CASE("store: a shard serves others while a large blob is written") {
  Subject subject(Kind::memory_threads);
  subject.must_commit(writing(subject, write("run_a", 0, "x", "running", "ann")));
  const Payload large{"ann", std::string(100'000, 'l')};
  subject.disk().hold_syncs(true);
  std::thread writer(
      [&] { CHECK(subject.run(subject.store().put_blob(subject.context(), large)).ok()); });
  while (subject.disk().held() == 0) {
    std::this_thread::yield();
  }
  auto served = std::async(std::launch::async, [&] { return subject.stream("run_a").state; });
  const auto status = served.wait_for(std::chrono::seconds(20));  // of the same shard
  subject.disk().hold_syncs(false);
  writer.join();
  REQUIRE(status == std::future_status::ready);
  CHECK(served.get() == "x");
}

TEST_CASE("store: an answer comes after the sync") {
  Subject subject(Kind::memory_threads);
  for (std::uint64_t i = 1; i <= 10; ++i) {
    const Committed committed = subject.must_commit(writing(subject, write("run_a", i - 1, "x")));
    CHECK(committed.sequence == i);
    CHECK(subject.disk().journal_rows() + subject.store().stats().folded >= i);
  }
}

TEST_CASE("store: journal rows that a crash left go with the first batch after it") {
  for (const Kind kind : {Kind::memory_inline, Kind::memory_threads}) {
    Subject subject(kind);
    for (std::uint64_t i = 0; i < 20; ++i) {
      subject.must_commit(writing(subject, write("run_a", i, "x")));
    }
    subject.crash();
    REQUIRE(subject.store().stats().folded == 20);  // replayed at the start
    subject.must_commit(writing(subject, write("run_a", 20, "y")));
    CHECK(subject.disk().journal_rows() <= 1);
    subject.crash();
    CHECK(subject.stream("run_a").state == "y");
  }
}

TEST_CASE("store: a full disk makes the store read-only until there is space") {
  for (const Kind kind : {Kind::memory_inline, Kind::memory_threads}) {
    Subject subject(kind);
    subject.must_commit(writing(subject, write("run_a", 0, "one")));
    subject.disk().set_full(true);
    Transition out = writing(subject, write("run_a", 1, "two"));
    out.budgets.push_back({"money", 10, 10});
    out.leaves.push_back({"leaf"});
    for (int i = 0; i < 3; ++i) {
      auto refused = subject.commit(out);
      REQUIRE(!refused.ok());
      CHECK(refused.error().code() == Code::resource_exhausted);
      CHECK(refused.error().retry() == Retry::same_call);
      CHECK(refused.error().page() == 405);
      CHECK(refused.error().retry_after() == std::chrono::milliseconds(500));
    }
    CHECK(subject.store().stats().read_only);
    CHECK(subject.stream("run_a").state == "one");
    subject.disk().set_full(false);
    subject.clock().advance(std::chrono::seconds(1));
    const Committed committed = subject.must_commit(out);  // the refused ones left no trace
    CHECK(committed.sequence == 2);
    CHECK(committed.first_leaf == 0);
    CHECK(!subject.store().stats().read_only);
  }
}

TEST_CASE("store: a disk that fails to sync is fatal") {
  std::string what;
  Subject subject(Kind::memory_threads);
  subject.options().on_fatal = [&](const std::string& text) { what = text; };
  subject.reopen();
  subject.disk().break_next_sync();
  auto answer = subject.commit(writing(subject, write("run_a", 0, "x")));
  CHECK(answer.error().code() == Code::data_loss);
  subject.close();
  CHECK(what.find("AIOS-0421") != std::string::npos);
}

TEST_CASE("store: tables that lose their last folds get them from the journal again") {
  Subject subject(Kind::memory_inline);
  subject.disk().set_tables_volatile(true);
  for (int round = 0; round < 5; ++round) {
    for (int i = 0; i < 50; ++i) {
      Transition out =
          writing(subject, write(fmt::format("run_{}_{}", round, i), 0, "x", "running", "ann"));
      out.leaves.push_back({fmt::format("leaf {}", round * 50 + i)});
      out.budgets.push_back({"money", 1, 1000});
      subject.must_commit(out);
    }
    const std::string before = subject.everything();
    subject.crash();
    CHECK(subject.everything() == before);
    CHECK(subject.run(subject.store().budget(subject.context(), "money")).value() ==
          (round + 1) * 50);
  }
}

TEST_CASE("store: the journal goes once the tables are synced") {
  Subject subject(Kind::memory_inline);
  for (std::uint64_t i = 0; i < 500; ++i) {
    subject.must_commit(writing(subject, write("run_a", i, "x")));
  }
  CHECK(subject.disk().journal_rows() < 200);
  CHECK(subject.history("run_a").size() == 500);
}

TEST_CASE("store: in the simulation one round of the executor is one batch") {
  runtime::SimExecutor sim(7);
  StoreOptions options;
  auto disk = std::make_shared<MemoryDisk>();
  auto store = open_memory_store(options, disk, MemoryThreads::inline_, sim.clock());
  REQUIRE(store.ok());
  int answered = 0;
  sim.run(commit_many(**store, system_context(default_tenant(), "test"), 20, &answered));
  CHECK(answered == 20);
  CHECK((*store)->stats().batches == 1);
  CHECK((*store)->stats().sequence == 20);
}
