// SPDX-License-Identifier: Apache-2.0
// Streams that are taken away while others are written.
#include "store/detail/leaving.h"

#include "core/ids.h"
#include "store/detail/memory_disk.h"
#include "store/detail/memory_engine.h"
#include "store/detail/sequencer.h"
#include "store/detail/sqlite_engine.h"
#include "store/test/subject.h"

#include <thread>

using namespace aios;
using namespace aios::store;
using namespace aios::store::testing;
using aios::store::detail::stream_key;

namespace {

using Keys = std::vector<std::string>;

bool nothing_written(const std::string&) { return false; }

detail::FoldStream closed(StreamKind kind, const std::string& id) {
  detail::FoldStream out;
  out.row.key = stream_key(kind, "acme", id);
  out.row.version = 1;
  out.row.end = StreamEnd::closed;
  out.has_state = true;
  out.row.state = "state of " + id;
  return out;
}

/// Three closed runs, a turn of each; the claim lets the first and the third go.
void hold_to_claim(detail::Engine& engine) {
  detail::Fold fold;
  fold.through = 1;
  for (const StreamKind kind : {StreamKind::run, StreamKind::turn}) {
    for (const char* id : {"run_a", "run_b", "run_c"}) {
      fold.streams.push_back(closed(kind, id));
    }
  }
  REQUIRE(engine.fold(fold, [](const std::string&, const Keys&) { return "chunk"; }).ok());
  Keys asked;
  const auto claim = [&](const Keys& keys) {
    asked = keys;
    return std::vector<bool>{true, false, true};
  };
  const auto key = [](const char* id) { return stream_key(StreamKind::run, "acme", id); };
  const auto turn = [](const char* id) { return stream_key(StreamKind::turn, "acme", id); };
  const Time later{1};
  auto gone = engine.expire({StreamKind::run, "acme", "run", "run_z", later, 100, claim});
  REQUIRE(gone.ok());
  CHECK(gone->streams == 2);
  CHECK(asked == Keys{key("run_a"), key("run_b"), key("run_c")});
  CHECK(engine.version(key("run_a")).value() == 0);
  CHECK(engine.version(key("run_b")).value() == 1);
  CHECK(engine.stream(key("run_b")).value()->state == "state of run_b");
  CHECK(engine.version(turn("run_b")).value() == 1);
  CHECK(engine.version(turn("run_c")).value() == 0);
  const auto none = [](const Keys& keys) { return std::vector<bool>(keys.size(), false); };
  const auto all = [](std::string_view) { return true; };
  auto kept = engine.remove({StreamKind::run, "acme", "", 100, all, none});
  CHECK(kept.value().streams == 0);
  CHECK(engine.version(key("run_b")).value() == 1);
}

std::string close_old_run(Subject& subject) {
  const std::string id = make_id("run", subject.clock().now(), {1});
  Transition out = subject.transition();
  out.streams.push_back(write(id, 0, "state", "completed"));
  out.streams.back().end = StreamEnd::closed;
  subject.must_commit(out);
  subject.clock().advance(std::chrono::hours(240));
  subject.reopen();  // all is in the tables
  return id;
}

Result<Expired> expire_runs(Subject& subject) {
  Expiry expiry;
  expiry.prefix = "run";
  expiry.before = subject.clock().now();
  return subject.run(subject.store().expire(subject.context(), expiry));
}

}  // namespace

TEST_CASE("store: a run that is written while old ones are taken away keeps its history") {
  Subject subject(Kind::memory_threads);
  const std::string id = close_old_run(subject);
  std::optional<Result<Committed>> written;
  subject.disk().impl().before_claim = [&] {
    Transition again = subject.transition();
    again.streams.push_back(write(id, 1, "again"));
    again.streams.back().state.reset();  // what stood there stays
    written = subject.commit(again);
  };
  CHECK(expire_runs(subject).value().streams == 0);
  REQUIRE(written.has_value());
  CHECK(written->ok());
  for (int round = 0; round < 2; ++round) {
    CHECK(subject.history(id).size() == 2);
    CHECK(subject.stream(id).state == "state");
    CHECK(subject.stream(id).version == 2);
    subject.reopen();
  }
}

TEST_CASE("store: what the tables said of a stream counts for nothing after a removal") {
  FakeClock clock;
  auto engine = detail::open_memory_engine(std::make_shared<MemoryDisk>()).value();
  detail::Delta delta(0);
  detail::ReadGate gate;
  detail::Leaving leaving;
  detail::Sequencer sequencer(*engine, delta, gate, leaving, clock);
  detail::SequencerOptions options;
  options.own_thread = false;
  sequencer.start(std::move(options));
  auto record = std::make_shared<detail::Record>();
  record->tenant = "acme";
  record->epoch = engine->epoch();
  record->streams.emplace_back();
  record->streams.back().key = stream_key(StreamKind::run, "acme", "run_a");
  record->streams.back().expected_version = 1;
  auto submission = std::make_unique<detail::Submission>();
  submission->base_versions = {1};  // it was there when the caller looked
  submission->base_removals = leaving.ended();
  submission->record = record;
  const auto done = submission->done;
  {
    detail::Leaving::Claim claim(leaving);
    REQUIRE(claim.of({record->streams.back().key}, nothing_written) == std::vector<bool>{true});
  }
  REQUIRE(sequencer.submit(std::move(submission)).ok());
  runtime::Shards shards(1);
  auto answer = shards.run(0, done.wait(Context()));
  REQUIRE(!answer.ok());
  CHECK(answer.error().page() == 400);
  CHECK(delta.last_sequence() == 0);
}

TEST_CASE("leaving: a batch waits for a stream of its own to be gone, and for no other") {
  detail::Leaving leaving;
  const auto writes = [](const std::string& key) {
    return [key](const std::unordered_set<std::string>& keys) { return keys.contains(key); };
  };
  std::atomic<bool> gone{false};
  bool gone_before = false;
  std::thread writer;
  {
    detail::Leaving::Claim claim(leaving);
    CHECK(claim.of({"a", "b"}, [](const std::string& key) { return key == "b"; }) ==
          std::vector<bool>{true, false});
    { const detail::Leaving::Batch other(leaving, writes("c")); }
    { const detail::Leaving::Batch spared(leaving, writes("b")); }
    writer = std::thread([&] {
      const detail::Leaving::Batch own(leaving, writes("a"));
      gone_before = gone;
    });
    CHECK(leaving.ended() == 0);
    gone = true;
  }
  writer.join();
  CHECK(gone_before);
  CHECK(leaving.ended() == 1);
}

TEST_CASE("leaving: whether a stream was written is asked when the batch in hand is done") {
  detail::Leaving leaving;
  std::atomic<bool> written{false};
  std::vector<bool> may_go;
  std::thread remover;
  {
    const detail::Leaving::Batch in_hand(
        leaving, [](const std::unordered_set<std::string>&) { return true; });
    remover = std::thread([&] {
      detail::Leaving::Claim claim(leaving);
      may_go = claim.of({"a"}, [&](const std::string&) { return written.load(); });
    });
    written = true;  // as the delta shows it
  }
  remover.join();
  CHECK(may_go == std::vector<bool>{false});
}

TEST_CASE("store: every engine takes away what the claim lets go, and leaves the rest whole") {
  SUBCASE("memory") {
    hold_to_claim(*detail::open_memory_engine(std::make_shared<MemoryDisk>()).value());
  }
  SUBCASE("sqlite") {
    const aios::test::Folder scratch;
    auto engine = detail::SqliteEngine::open(scratch.at("data"), std::string(32, 'k'), {});
    REQUIRE(engine.ok());
    hold_to_claim(**engine);
  }
}
