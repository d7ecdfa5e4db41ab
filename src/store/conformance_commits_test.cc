// SPDX-License-Identifier: Apache-2.0
// Sentences about commits: preconditions, batches, order.
#include "store/test/subject.h"

#include <fmt/format.h>

#include <algorithm>

namespace aios::store::testing {
namespace {

Transition writing(Subject& subject, StreamWrite stream) {
  Transition out = subject.transition();
  out.streams.push_back(std::move(stream));
  return out;
}

void own_writes_are_seen(Subject& subject) {
  const Committed first = subject.must_commit(writing(subject, write("run_a", 0, "one")));
  CHECK(first.sequence == 1);
  StreamRow row = subject.stream("run_a");
  CHECK(row.version == 1);
  CHECK(row.state == "one");
  CHECK(row.status == "running");
  CHECK(row.label == "flow");
  CHECK(row.updated == subject.clock().now());
  const Committed second =
      subject.must_commit(writing(subject, write("run_a", 1, "two", "waiting")));
  CHECK(second.sequence == 2);
  row = subject.stream("run_a");
  CHECK(row.version == 2);
  CHECK(row.state == "two");
  CHECK(subject.history("run_a") == std::vector<std::string>{"1:7:line of one", "2:7:line of two"});
}

void a_state_that_is_not_written_stays(Subject& subject) {
  subject.must_commit(writing(subject, write("run_a", 0, "one")));
  StreamWrite later = write("run_a", 1, "", "waiting");
  later.state.reset();
  subject.must_commit(writing(subject, later));
  CHECK(subject.stream("run_a").state == "one");
  subject.reopen();  // the first write is folded now, the next one is not
  later.expected_version = 2;
  subject.must_commit(writing(subject, later));
  CHECK(subject.stream("run_a").state == "one");
  CHECK(subject.stream("run_a").version == 3);
}

void another_version_is_refused(Subject& subject) {
  subject.must_commit(writing(subject, write("run_a", 0, "one")));
  for (const std::uint64_t expected : {0, 2}) {
    auto refused = subject.commit(writing(subject, write("run_a", expected, "other")));
    REQUIRE(!refused.ok());
    CHECK(refused.error().code() == Code::aborted);
    CHECK(refused.error().page() == 400);
  }
  subject.reopen();
  CHECK(subject.commit(writing(subject, write("run_a", 0, "other"))).error().code() ==
        Code::aborted);
  CHECK(subject.stream("run_a").state == "one");
}

void a_refusal_changes_nothing_else(Subject& subject) {
  Transition mixed = subject.transition();
  mixed.streams.push_back(write("run_new", 0, "new"));
  mixed.streams.push_back(write("run_missing", 4, "wrong"));
  mixed.keys.push_back({"space", "key", "", "value"});
  mixed.budgets.push_back({"money", 5, 100});
  mixed.outbox.push_back({"topic", "", {"", "text"}});
  mixed.leaves.push_back({"leaf"});
  CHECK(subject.commit(mixed).error().code() == Code::aborted);
  CHECK(subject.run(subject.store().stream(subject.context(), StreamKind::run, "run_new"))
            .error()
            .code() == Code::not_found);
  CHECK(!subject.run(subject.store().key(subject.context(), {"space", "key", "", ""})).value());
  CHECK(subject.run(subject.store().budget(subject.context(), "money")).value() == 0);
  CHECK(subject.run(subject.store().outbox(subject.context(), 0, 10)).value().empty());
  CHECK(subject.run(subject.store().leaf_count(subject.context())).value() == 0);
  CHECK(subject.must_commit(writing(subject, write("run_new", 0, "new"))).sequence == 1);
}

void an_earlier_epoch_is_refused(Subject& subject) {
  Transition late = writing(subject, write("run_a", 0, "one"));
  subject.reopen();
  CHECK(subject.store().epoch() > late.epoch);
  auto refused = subject.commit(late);
  REQUIRE(!refused.ok());
  CHECK(refused.error().code() == Code::failed_precondition);
  CHECK(refused.error().page() == 401);
}

void a_taken_key_is_refused(Subject& subject) {
  Transition claim = subject.transition();
  claim.keys.push_back({"event:tickets", "id-1", "digest", "run_1"});
  subject.must_commit(claim);
  for (int round = 0; round < 2; ++round) {
    claim.epoch = subject.store().epoch();
    auto refused = subject.commit(claim);
    REQUIRE(!refused.ok());
    CHECK(refused.error().code() == Code::already_exists);
    for (const char* digest : {"digest", "another", ""}) {
      auto holder = subject.run(
          subject.store().key(subject.context(), {"event:tickets", "id-1", digest, ""}));
      REQUIRE(holder.ok());
      REQUIRE(holder->has_value());
      CHECK((*holder)->value == "run_1");
      CHECK((*holder)->same_request == (digest == std::string("digest")));
    }
    subject.reopen();
  }
  claim = subject.transition();
  claim.keys.push_back({"event:other", "id-1", "", ""});  // another space
  subject.must_commit(claim);
  Transition elsewhere = subject.transition("globex");
  elsewhere.keys.push_back({"event:tickets", "id-1", "", ""});  // another tenant
  subject.must_commit(elsewhere);
}

void a_key_is_kept_for_seven_days(Subject& subject) {
  Transition claim = subject.transition();
  claim.keys.push_back({"space", "key", "", ""});
  subject.must_commit(claim);
  for (int day = 1; day <= 7; ++day) {
    subject.clock().advance(std::chrono::hours(24));
    subject.must_commit(writing(subject, write(fmt::format("run_{}", day), 0, "x")));
    subject.reopen();
    claim.epoch = subject.store().epoch();
    CHECK(subject.commit(claim).error().code() == Code::already_exists);
  }
  subject.clock().advance(std::chrono::hours(24));
  subject.must_commit(writing(subject, write("run_8", 0, "x")));
  subject.reopen();
  claim.epoch = subject.store().epoch();
  subject.must_commit(claim);
}

void a_budget_is_never_passed(Subject& subject) {
  const auto move = [&](std::int64_t amount, std::int64_t limit) {
    Transition out = subject.transition();
    out.budgets.push_back({"money", amount, limit});
    return subject.commit(out);
  };
  CHECK(move(60, 100).ok());
  CHECK(move(40, 100).ok());
  auto refused = move(1, 100);
  REQUIRE(!refused.ok());
  CHECK(refused.error().code() == Code::budget_exceeded);
  CHECK(move(-30, 50).ok());  // giving back is allowed even above a lowered limit
  subject.reopen();
  CHECK(subject.run(subject.store().budget(subject.context(), "money")).value() == 70);
  CHECK(!move(31, 100).ok());
  CHECK(move(30, 100).ok());
  CHECK(!move(INT64_MAX, INT64_MAX).ok());
  CHECK(subject.run(subject.store().budget(subject.context(), "money")).value() == 100);
}

void of_two_that_want_the_same_one_wins(Subject& subject) {
  std::vector<Transition> rivals;
  for (int i = 0; i < 20; ++i) {
    rivals.push_back(writing(subject, write("run_a", 0, fmt::format("by {}", i))));
    rivals.back().keys.push_back({"space", fmt::format("key {}", i / 2), "", ""});
    rivals.back().leaves.push_back({fmt::format("leaf {}", i)});
  }
  for (int i = 0; i < 20; ++i) {
    rivals.push_back(subject.transition());
    rivals.back().budgets.push_back({"money", 10, 100});
  }
  const auto answers = subject.commit_together(rivals);
  const auto won = [&](int from, int to) {
    return std::count_if(answers.begin() + from, answers.begin() + to,
                         [](const auto& a) { return a.ok(); });
  };
  CHECK(won(0, 20) == 1);
  CHECK(won(20, 40) == 10);
  CHECK(subject.run(subject.store().budget(subject.context(), "money")).value() == 100);
  CHECK(subject.run(subject.store().leaf_count(subject.context())).value() == 1);
  CHECK(subject.store().stats().sequence == 11);
}

/// A writer that is faster than its callers has batches of one: some round has larger ones.
void many_callers_share_syncs(Subject& subject) {
  constexpr int callers = 300;
  constexpr int rounds_max = 20;
  std::uint64_t committed = 0;
  for (int round = 0; round < rounds_max && subject.store().stats().syncs == committed; ++round) {
    std::vector<Transition> many;
    for (int i = 0; i < callers; ++i) {
      many.push_back(writing(subject, write(fmt::format("run_{}_{:04}", round, i), 0, "x")));
    }
    std::vector<std::uint64_t> sequences;
    for (const auto& answer : subject.commit_together(many)) {
      REQUIRE(answer.ok());
      sequences.push_back(answer->sequence);
    }
    std::sort(sequences.begin(), sequences.end());
    for (const std::uint64_t sequence : sequences) {
      CHECK(sequence == ++committed);
    }
  }
  CHECK(subject.store().stats().syncs < committed);
  CHECK(subject.store().stats().batches < committed);
}

void what_breaks_a_limit_is_refused(Subject& subject) {
  const auto refused = [&](const Transition& transition) {
    auto answer = subject.commit(transition);
    return !answer.ok() && answer.error().code() == Code::invalid_argument &&
           answer.error().page() == 406;
  };
  CHECK(refused(writing(subject, write("", 0, "x"))));
  CHECK(refused(writing(subject, write(std::string("a\0b", 3), 0, "x"))));
  CHECK(refused(writing(subject, write("run_a", 0, "x", std::string(65, 's')))));
  CHECK(refused(writing(subject, write("run_a", 0, std::string(std::size_t{5} << 20, 'x')))));
  Transition twice = writing(subject, write("run_a", 0, "x"));
  twice.streams.push_back(write("run_a", 1, "y"));
  CHECK(refused(twice));
  Transition wide = subject.transition();
  for (int i = 0; i < 65; ++i) {
    wide.streams.push_back(write(fmt::format("run_{}", i), 0, "x"));
  }
  CHECK(refused(wide));
  Transition leaf = subject.transition();
  leaf.leaves.push_back({std::string(leaf_bytes_max + 1, 'l')});
  CHECK(refused(leaf));
  leaf.leaves.front().bytes.pop_back();
  subject.must_commit(leaf);
  Transition digest = subject.transition();
  digest.keys.push_back({"space", "key", std::string(33, 'd'), ""});
  CHECK(refused(digest));
  Transition foreign = writing(subject, write("run_a", 0, "x"));
  auto answer = subject.run(subject.store().commit(subject.context("globex"), foreign));
  CHECK(answer.error().code() == Code::invalid_argument);
}

void at_the_deltas_bound_commits_are_refused(Subject& subject) {
  subject.options().delta_bytes_max = 1;
  subject.reopen();
  std::vector<Transition> many;
  for (int i = 0; i < 40; ++i) {
    many.push_back(writing(subject, write(fmt::format("run_{}", i), 0, "x")));
  }
  (void)subject.commit_together(many);
  bool refused = false;
  for (int i = 0; i < 20 && !refused; ++i) {
    auto answer = subject.commit(writing(subject, write(fmt::format("run_more_{}", i), 0, "x")));
    refused = !answer.ok();
    if (refused) {
      CHECK(answer.error().code() == Code::resource_exhausted);
      CHECK(answer.error().retry() == Retry::same_call);
      CHECK(answer.error().page() == 404);
    }
  }
  CHECK(refused);
}

void a_closed_store_refuses_commits(Subject& subject) {
  REQUIRE(subject.store().close().ok());
  auto refused = subject.commit(writing(subject, write("run_a", 0, "x")));
  REQUIRE(!refused.ok());
  CHECK(refused.error().code() == Code::unavailable);
  CHECK(subject.store().close().ok());
}

}  // namespace

std::vector<Sentence> commit_sentences() {
  return {
      {"own writes are seen", own_writes_are_seen},
      {"a state that is not written stays", a_state_that_is_not_written_stays},
      {"another version than the expected one is refused", another_version_is_refused},
      {"a refused transition changes nothing", a_refusal_changes_nothing_else},
      {"a writer of an earlier epoch is refused", an_earlier_epoch_is_refused},
      {"a taken key is refused and its holder can be asked for", a_taken_key_is_refused},
      {"a key is kept for seven days and then free", a_key_is_kept_for_seven_days},
      {"a budget is never passed", a_budget_is_never_passed},
      {"of many in a batch that want the same one wins", of_two_that_want_the_same_one_wins},
      {"many callers share syncs and get gapless sequences", many_callers_share_syncs},
      {"what breaks a limit is refused", what_breaks_a_limit_is_refused},
      {"at the delta's bound commits are refused for now", at_the_deltas_bound_commits_are_refused},
      {"a closed store refuses commits", a_closed_store_refuses_commits}};
}

}  // namespace aios::store::testing
