// SPDX-License-Identifier: Apache-2.0
// Turns of sources that read files: how far each goes, and that nothing is taken twice.
#include "ingress/detail/file_watch.h"

#include "ingress/test/inbox.h"
#include "ingress/test/root.h"
#include "runtime/shards.h"
#include "runtime/task_group.h"

#include <thread>

namespace aios::ingress {
namespace {

using test::Root;

constexpr const char* declared = R"(kind: file
name: {0}
folder: {0}
format: jsonl
stable: PT0S
event:
  type: t
  id: '${{ .record.id }}'
  source: '${{ .record.source // "/files/{0}" }}'
)";

struct Watched {
  Watched() {
    inbox.declare({{"sources/long.yaml", fmt::format(declared, "long")},
                   {"sources/short.yaml", fmt::format(declared, "short")}});
    std::filesystem::create_directories(root.path / "long");
    std::filesystem::create_directories(root.path / "short");
    restart();
  }
  /// As after a crash: what was in memory is gone.
  void restart() {
    SourceServices services;
    services.ingress = inbox.ingress.get();
    services.sources = &inbox.sources;
    services.store = inbox.store.get();
    services.log = &inbox.log;
    services.pool = &pool;
    services.watch_root = root.path.string();
    watch = std::make_unique<FileWatch>(std::move(services));
  }
  static Task<void> one_round(FileWatch* watch, FileWatch::Round* out, bool* done) {
    Context ctx = system_context(default_tenant(), "test");
    auto going = watch->round(std::move(ctx));
    *out = co_await std::move(going);
    *done = true;
  }
  FileWatch::Round round() {
    FileWatch::Round out;
    bool done = false;
    runtime::TaskGroup group(inbox.executor);
    group.spawn(one_round(watch.get(), &out, &done));
    while (!done) {
      if (!inbox.executor.step()) {
        std::this_thread::yield();  // the disk is read by a thread
      }
    }
    inbox.executor.run(group.join());
    return out;
  }
  std::uint64_t events() {
    store::ListQuery query;
    query.kind = store::StreamKind::event;
    return inbox.executor.run(inbox.store->count(system_context(default_tenant(), "test"), query))
        .value();
  }
  void drop(const std::string& name, std::size_t records, std::size_t refused_every = 0) {
    std::string text;
    for (std::size_t i = 1; i <= records; ++i) {
      const bool bad = refused_every != 0 && i % refused_every == 0;
      text += fmt::format("{{\"id\":\"{}-{}\"{}}}\n", name, i, bad ? ",\"source\":\"bad\"" : "");
    }
    root.write(name, text);
  }

  Root root;
  runtime::BlockingPool pool{1};
  test::Inbox inbox;
  std::unique_ptr<FileWatch> watch;
};

constexpr std::size_t turn = FileWatch::records_a_turn_max;

}  // namespace

TEST_CASE("file watch: a long file of one source holds up no other's") {
  Watched world;
  world.drop("long/a.jsonl", 2 * turn + 5);
  world.drop("short/b.jsonl", 1);
  auto done = world.round();
  CHECK(done.more);
  CHECK(world.root.has("short/done/b.jsonl"));
  CHECK(world.events() == turn + 1);
  CHECK(world.round().more);
  done = world.round();
  CHECK_FALSE(done.more);
  CHECK(done.moved == 1);
  CHECK(world.root.has("long/done/a.jsonl"));
  CHECK(world.events() == 2 * turn + 6);
}

TEST_CASE("file watch: many files of one source have one turn between them") {
  Watched world;
  world.drop("long/a.jsonl", turn - 1);
  world.drop("long/b.jsonl", 2);
  world.drop("long/c.jsonl", 1);
  CHECK(world.round().more);
  CHECK(world.events() == turn);
  CHECK_FALSE(world.round().more);
  CHECK(world.root.has("long/done/c.jsonl"));
  CHECK(world.events() == turn + 2);
}

TEST_CASE("file watch: a record whose id came with other content is a dead letter") {
  Watched world;
  world.inbox.install("t");
  world.root.write("long/a.jsonl",
                   "{\"id\":\"1\",\"n\":1}\n{\"id\":\"1\",\"n\":2}\n{\"id\":\"2\"}\n");
  CHECK(world.round().moved == 1);
  CHECK(world.root.has("long/failed/a.jsonl"));
  const auto told = world.root.read("long/failed/a.jsonl.error.txt");
  CHECK(told.find("1 of 3 records were refused") != std::string::npos);
  CHECK(told.find("record 2: event '1' of this source was taken before") != std::string::npos);
  CHECK(world.events() == 3);
  Ingress::Wanted wanted;
  wanted.status = "dead_letter";
  const auto dead = world.inbox.executor.run(
      world.inbox.ingress->list(system_context(default_tenant(), "test"), std::move(wanted)));
  REQUIRE(dead.ok());
  REQUIRE(dead->size() == 1);
  CHECK(dead_letter_of(dead->front()).page == 1203);
  world.root.write("long/b.jsonl", "{\"id\":\"1\",\"n\":2}\n");
  world.round();
  CHECK(world.root.has("long/done/b.jsonl"));
  CHECK(world.events() == 3);  // it is known
}

TEST_CASE("file watch: what policy refused is known after a crash between two turns") {
  Watched world;
  REQUIRE(world.inbox.guard
              .load(default_tenant(),
                    {{"policies/e.rego",
                      "package aios.event_admit\nimport rego.v1\ndefault allow := false\n"
                      "allow if input.event.source != \"bad\"\n"}},
                    JsonObject())
              .ok());
  world.drop("long/a.jsonl", turn + 10, turn / 2);  // two of the first turn are refused
  CHECK(world.round().more);
  const auto before = world.events();
  world.restart();
  CHECK_FALSE(world.round().more);
  CHECK(world.events() == before + 10);  // none twice
  CHECK(world.root.has("long/failed/a.jsonl"));
  const auto why = world.root.read("long/failed/a.jsonl.error.txt");
  CHECK(why.find(fmt::format("2 of {} records were refused", turn + 10)) != std::string::npos);
  CHECK(why.find(fmt::format("record {}: refused before", turn / 2)) != std::string::npos);
  CHECK(why.find(fmt::format("record {}: refused before", turn)) != std::string::npos);
}

TEST_CASE("file watch: a file that changes between two turns is read anew") {
  Watched world;
  world.drop("long/a.jsonl", turn + 1);
  CHECK(world.round().more);
  world.root.write("long/a.jsonl", "{\"id\":\"other\"}\n");
  CHECK_FALSE(world.round().more);
  CHECK(world.events() == turn + 1);
}

}  // namespace aios::ingress
