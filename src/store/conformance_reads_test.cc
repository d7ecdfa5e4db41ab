// SPDX-License-Identifier: Apache-2.0
// Sentences about reads: lists, counts, wake-ups, outbox, leaves, tenants.
#include "store/test/subject.h"

#include <fmt/format.h>

#include <algorithm>

namespace aios::store::testing {
namespace {

std::string run_id(int i) { return fmt::format("run_{:05}", i); }

Transition writing(Subject& subject, StreamWrite stream) {
  Transition out = subject.transition();
  out.streams.push_back(std::move(stream));
  return out;
}

/// Runs 0 to count-1; every third is waiting.
void fill(Subject& subject, int from, int to) {
  std::vector<Transition> many;
  for (int i = from; i < to; ++i) {
    many.push_back(writing(subject, write(run_id(i), 0, fmt::format("state {}", i),
                                          i % 3 == 0 ? "waiting" : "running")));
  }
  for (const auto& answer : subject.commit_together(std::move(many))) {
    REQUIRE(answer.ok());
  }
}

std::vector<std::string> expected_ids(int from, int to, int step) {
  std::vector<std::string> out;
  for (int i = from; i < to; i += step) {
    out.push_back(run_id(i));
  }
  return out;
}

std::vector<std::string> all_pages(Subject& subject, ListQuery query) {
  std::vector<std::string> out;
  for (;;) {
    auto page = subject.ids(query);
    out.insert(out.end(), page.begin(), page.end());
    if (page.size() < query.limit) {
      return out;
    }
    query.after = page.back();
  }
}

void a_missing_stream_is_not_found(Subject& subject) {
  auto row = subject.run(subject.store().stream(subject.context(), StreamKind::run, "run_none"));
  CHECK(row.error().code() == Code::not_found);
  auto lines = subject.run(subject.store().history(subject.context(), StreamKind::run, "run_none"));
  CHECK(lines.error().code() == Code::not_found);
  subject.must_commit(writing(subject, write("run_a", 0, "x")));
  auto other_kind =
      subject.run(subject.store().stream(subject.context(), StreamKind::review, "run_a"));
  CHECK(other_kind.error().code() == Code::not_found);
}

void lists_page_in_both_directions(Subject& subject) {
  fill(subject, 0, 60);
  subject.reopen();  // these are in the tables
  fill(subject, 60, 90);
  auto expected = expected_ids(0, 90, 1);
  CHECK(all_pages(subject, runs("", 7)) == expected);
  ListQuery newest = runs("", 7);
  newest.newest_first = true;
  std::reverse(expected.begin(), expected.end());
  CHECK(all_pages(subject, newest) == expected);
  CHECK(all_pages(subject, runs("waiting", 4)) == expected_ids(0, 90, 3));
}

void a_list_shows_the_newer_of_table_and_delta(Subject& subject) {
  fill(subject, 0, 30);
  subject.reopen();
  for (int i = 0; i < 30; i += 3) {  // all that waited run now; one of the others waits
    subject.must_commit(writing(subject, write(run_id(i), 1, "later", "running")));
  }
  subject.must_commit(writing(subject, write(run_id(4), 1, "later", "waiting")));
  CHECK(all_pages(subject, runs("waiting", 3)) == std::vector<std::string>{run_id(4)});
  CHECK(all_pages(subject, runs("running", 3)).size() == 29);
  CHECK(subject.run(subject.store().count(subject.context(), runs("waiting"))).value() == 1);
  CHECK(subject.run(subject.store().count(subject.context(), runs("running"))).value() == 29);
  ListQuery unbounded = runs("", 0);
  unbounded.tenant = TenantId();  // the context's
  CHECK(subject.run(subject.store().count(subject.context(), unbounded)).value() == 30);
  ListQuery other = runs();
  other.label = "another flow";
  CHECK(subject.ids(other).empty());
  CHECK(subject.run(subject.store().count(subject.context(), other)).value() == 0);
}

void lists_are_complete_while_folding_goes_on(Subject& subject) {
  const int streams = 40;
  fill(subject, 0, streams);
  for (int round = 1; round <= 25; ++round) {
    std::vector<Transition> many;
    for (int i = 0; i < streams; ++i) {
      many.push_back(
          writing(subject, write(run_id(i), static_cast<std::uint64_t>(round), "again")));
    }
    for (const auto& answer : subject.commit_together(std::move(many))) {
      REQUIRE(answer.ok());
    }
    CHECK(all_pages(subject, runs("", 9)) == expected_ids(0, streams, 1));
    CHECK(subject.run(subject.store().count(subject.context(), runs())).value() == streams);
    CHECK(subject.history(run_id(round)).size() == static_cast<std::size_t>(round) + 1);
    CHECK(subject.stream(run_id(round)).version == static_cast<std::uint64_t>(round) + 1);
  }
}

void a_list_of_no_rows_is_refused(Subject& subject) {
  for (const std::uint32_t limit : {0U, 1001U}) {
    auto rows = subject.run(subject.store().list(subject.context(), runs("", limit)));
    CHECK(rows.error().code() == Code::invalid_argument);
  }
}

void wake_ups_come_in_order_and_only_when_due(Subject& subject) {
  const Time now = subject.clock().now();
  const auto sleeping = [&](const std::string& id, std::uint64_t version, int seconds) {
    StreamWrite out = write(id, version, "x", "waiting");
    out.wake_at = now + std::chrono::seconds(seconds);
    return writing(subject, out);
  };
  subject.must_commit(sleeping("run_a", 0, 30));
  subject.must_commit(sleeping("run_b", 0, 10));
  subject.must_commit(sleeping("run_c", 0, 20));
  subject.must_commit(sleeping("run_d", 0, 90));
  subject.reopen();
  subject.must_commit(sleeping("run_e", 0, 15));
  subject.must_commit(
      writing(subject, write("run_c", 1, "x")));  // woken by something else: sleeps no more
  subject.must_commit(sleeping("run_a", 1, 5));   // earlier now
  const auto due = [&](int seconds, std::uint32_t limit) {
    auto rows = subject.run(
        subject.store().due(subject.context(), now + std::chrono::seconds(seconds), limit));
    REQUIRE(rows.ok());
    std::vector<std::string> out;
    for (const WakeUp& row : *rows) {
      CHECK(row.tenant.text() == "acme");
      out.push_back(row.id);
    }
    return out;
  };
  CHECK(due(60, 10) == std::vector<std::string>{"run_a", "run_b", "run_e"});
  CHECK(due(60, 2) == std::vector<std::string>{"run_a", "run_b"});
  CHECK(due(4, 10).empty());
  CHECK(due(5, 10) == std::vector<std::string>{"run_a"});
}

void outbox_messages_leave_in_order(Subject& subject) {
  std::vector<std::uint64_t> ids;
  for (int i = 0; i < 6; ++i) {
    Transition out = subject.transition();
    out.outbox.push_back({"reply", "run_a", {"", fmt::format("first {}", i)}});
    out.outbox.push_back({"reply", "run_b", {"", fmt::format("second {}", i)}});
    const Committed committed = subject.must_commit(out);
    REQUIRE(committed.outbox_ids.size() == 2);
    ids.insert(ids.end(), committed.outbox_ids.begin(), committed.outbox_ids.end());
    if (i == 2) {
      subject.reopen();
    }
  }
  CHECK(std::is_sorted(ids.begin(), ids.end()));
  Transition done = subject.transition();
  done.outbox_done = {ids[0], ids[3], ids[8]};  // two in the tables, one in the delta
  subject.must_commit(done);
  const auto waiting = [&](std::uint64_t after, std::uint32_t limit) {
    auto rows = subject.run(subject.store().outbox(subject.context(), after, limit));
    REQUIRE(rows.ok());
    std::vector<std::uint64_t> out;
    for (const OutboxRow& row : *rows) {
      out.push_back(row.id);
    }
    return out;
  };
  const std::vector<std::uint64_t> left{ids[1], ids[2], ids[4],  ids[5], ids[6],
                                        ids[7], ids[9], ids[10], ids[11]};
  CHECK(waiting(0, 100) == left);
  CHECK(waiting(ids[2], 3) == std::vector<std::uint64_t>{ids[4], ids[5], ids[6]});
  subject.reopen();
  CHECK(waiting(0, 100) == left);
  auto rows = subject.run(subject.store().outbox(subject.context(), 0, 1));
  CHECK(rows->front().data == "second 0");
  CHECK(rows->front().ordering_key == "run_b");
  CHECK(rows->front().topic == "reply");
}

void leaves_are_gapless_for_each_tenant(Subject& subject) {
  std::uint64_t next = 0;
  for (int i = 0; i < 50; ++i) {
    Transition out = subject.transition();
    for (int leaf = 0; leaf <= i % 3; ++leaf) {
      out.leaves.push_back({fmt::format("leaf {}", next + out.leaves.size())});
    }
    Transition other = subject.transition("globex");
    other.leaves.push_back({fmt::format("theirs {}", i)});
    const Committed committed = subject.must_commit(out);
    CHECK(committed.first_leaf == next);
    next += out.leaves.size();
    CHECK(subject.must_commit(other).first_leaf == static_cast<std::uint64_t>(i));
    if (i % 20 == 10) {
      subject.reopen();
    }
  }
  CHECK(subject.run(subject.store().leaf_count(subject.context())).value() == next);
  auto page = subject.run(subject.store().leaves(subject.context(), 3, 90)).value();
  REQUIRE(page.size() == 90);
  for (std::size_t i = 0; i < page.size(); ++i) {
    CHECK(page[i] == fmt::format("leaf {}", i + 3));
  }
  CHECK(subject.run(subject.store().leaves(subject.context(), next, 5)).value().empty());
  CHECK(subject.run(subject.store().leaves(subject.context(), next + 5, 5)).value().empty());
  CHECK(subject.run(subject.store().leaves(subject.context("globex"), 49, 5)).value().front() ==
        "theirs 49");
  auto tenants = subject.run(subject.store().tenants_with_leaves(subject.context())).value();
  REQUIRE(tenants.size() == 2);
  CHECK(tenants[0].text() == "acme");
  CHECK(tenants[1].text() == "globex");
}

void tenants_never_mix(Subject& subject) {
  subject.must_commit(writing(subject, write("run_a", 0, "ours")));
  Transition theirs = subject.transition("globex");
  theirs.streams.push_back(write("run_a", 0, "theirs"));
  theirs.budgets.push_back({"money", 7, 100});
  subject.must_commit(theirs);
  for (int round = 0; round < 2; ++round) {
    CHECK(subject.stream("run_a").state == "ours");
    auto other =
        subject.run(subject.store().stream(subject.context("globex"), StreamKind::run, "run_a"));
    CHECK(other->state == "theirs");
    CHECK(subject.ids(runs()) == std::vector<std::string>{"run_a"});
    CHECK(subject.run(subject.store().budget(subject.context(), "money")).value() == 0);
    CHECK(subject.run(subject.store().leaf_count(subject.context())).value() == 0);
    subject.reopen();
  }
}

}  // namespace

std::vector<Sentence> read_sentences() {
  return {
      {"a missing stream is not found", a_missing_stream_is_not_found},
      {"lists page in both directions over tables and delta", lists_page_in_both_directions},
      {"lists and counts show the newer of table and delta",
       a_list_shows_the_newer_of_table_and_delta},
      {"lists, counts and histories are complete while folding goes on",
       lists_are_complete_while_folding_goes_on},
      {"a list without bound is refused", a_list_of_no_rows_is_refused},
      {"wake-ups come in order and only when due", wake_ups_come_in_order_and_only_when_due},
      {"outbox messages leave in order until they are done", outbox_messages_leave_in_order},
      {"audit leaves are gapless and in order for each tenant", leaves_are_gapless_for_each_tenant},
      {"tenants never mix", tenants_never_mix}};
}

}  // namespace aios::store::testing
