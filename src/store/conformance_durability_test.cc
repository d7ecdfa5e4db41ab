// SPDX-License-Identifier: Apache-2.0
// Sentences about what stays: crashes, folding, truncation, reopening, closed streams, blobs.
#include "store/test/subject.h"

#include <fmt/format.h>

namespace aios::store::testing {
namespace {

void work(Subject& subject, int from, int to) {
  for (int i = from; i < to; ++i) {
    Transition out = subject.transition();
    const std::string id = fmt::format("run_{:03}", i % 12);
    const auto version = static_cast<std::uint64_t>(i / 12);
    StreamWrite stream = write(id, version, fmt::format("state {} {}", i, std::string(40, 'z')));
    stream.end = i % 5 == 4 ? StreamEnd::closed : StreamEnd::open;
    if (i % 4 == 0) {
      stream.wake_at = Time{1000 + i};
    }
    out.streams.push_back(stream);
    out.leaves.push_back({fmt::format("leaf {}", i)});
    out.outbox.push_back({"topic", id, {"", fmt::format("message {}", i)}});
    out.budgets.push_back({"money", 1, 1'000'000});
    const Committed committed = subject.must_commit(out);
    if (i % 2 == 0) {
      Transition done = subject.transition();
      done.outbox_done = committed.outbox_ids;
      subject.must_commit(done);
    }
  }
}

void what_was_answered_survives_a_crash(Subject& subject) {
  for (int round = 0; round < 4; ++round) {
    work(subject, round * 30, round * 30 + 30);
    const std::string before = subject.everything();
    const std::uint64_t sequence = subject.store().stats().sequence;
    subject.crash();
    CHECK(subject.everything() == before);
    CHECK(subject.store().stats().sequence == sequence);
    CHECK(subject.run(subject.store().budget(subject.context(), "money")).value() ==
          round * 30 + 30);
  }
}

void folding_and_reopening_change_nothing(Subject& subject) {
  work(subject, 0, 100);
  const std::string before = subject.everything();
  const std::uint64_t sequence = subject.store().stats().sequence;
  subject.reopen();
  CHECK(subject.store().stats().folded == sequence);
  CHECK(subject.store().stats().delta_bytes == 0);
  CHECK(subject.everything() == before);
  subject.reopen();
  CHECK(subject.everything() == before);
  work(subject, 100, 110);
  CHECK(subject.store().stats().sequence > sequence);
}

void epochs_only_grow(Subject& subject) {
  std::uint64_t last = subject.store().epoch();
  CHECK(last >= 1);
  for (int i = 0; i < 3; ++i) {
    i % 2 == 0 ? subject.reopen() : subject.crash();
    CHECK(subject.store().epoch() > last);
    last = subject.store().epoch();
  }
}

void a_closed_stream_keeps_its_history(Subject& subject) {
  std::vector<std::string> expected;
  for (std::uint64_t version = 0; version < 9; ++version) {
    const std::string state = fmt::format("{} {}", version, std::string(300, 'a'));
    Transition out = subject.transition();
    out.streams.push_back(write("run_a", version, state));
    out.streams.back().end =
        version == 4 || version == 8 ? StreamEnd::closed : StreamEnd::open;  // reopened once
    subject.must_commit(out);
    expected.push_back(fmt::format("{}:7:line of {}", version + 1, state));
    if (version % 2 == 0) {
      subject.reopen();
    }
    CHECK(subject.history("run_a") == expected);
    CHECK(subject.stream("run_a").state == state);
  }
  CHECK(subject.stream("run_a").end == StreamEnd::closed);
}

void empty_payloads_stay_empty(Subject& subject) {
  Transition out = subject.transition();
  out.streams.push_back(write("run_a", 0, ""));
  out.streams.back().history.front().data.bytes.clear();
  out.outbox.push_back({"topic", "", {}});
  subject.must_commit(out);
  for (int round = 0; round < 2; ++round) {
    CHECK(subject.stream("run_a").state.empty());
    CHECK(subject.history("run_a") == std::vector<std::string>{"1:7:"});
    CHECK(
        subject.run(subject.store().outbox(subject.context(), 0, 1)).value().front().data.empty());
    subject.reopen();
  }
}

std::string put(Subject& subject, const std::string& bytes, const std::string& who = "") {
  auto name = subject.run(subject.store().put_blob(subject.context(), Payload{who, bytes}));
  if (!name.ok()) {
    FAIL(name.error().text());
  }
  return *name;
}

void blobs_of_every_size_come_back(Subject& subject) {
  const std::vector<std::size_t> sizes{0, 1, 300, 16'384, 16'385, 1'500'000};
  std::vector<std::string> names;
  for (const std::size_t size : sizes) {
    std::string bytes(size, 'q');
    for (std::size_t i = 0; i < size; i += 7) {
      bytes[i] = static_cast<char>(i * 31);
    }
    names.push_back(put(subject, bytes));
    CHECK(names.back().starts_with("blob_"));
    CHECK(put(subject, bytes) == names.back());
    CHECK(put(subject, bytes, "another subject") != names.back());
  }
  subject.crash();
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    auto bytes = subject.run(subject.store().blob(subject.context(), names[i]));
    REQUIRE(bytes.ok());
    CHECK(bytes->size() == sizes[i]);
  }
  auto foreign = subject.run(subject.store().blob(subject.context("globex"), names[2]));
  CHECK(foreign.error().code() == Code::not_found);
  auto missing = subject.run(subject.store().blob(subject.context(), "blob_../../secret"));
  CHECK(missing.error().code() == Code::not_found);
}

}  // namespace

std::vector<Sentence> durability_sentences() {
  return {
      {"what was answered survives a crash", what_was_answered_survives_a_crash},
      {"folding, truncating and reopening change nothing", folding_and_reopening_change_nothing},
      {"epochs only grow", epochs_only_grow},
      {"a closed stream keeps its history, also when it is opened again",
       a_closed_stream_keeps_its_history},
      {"empty payloads stay empty", empty_payloads_stay_empty},
      {"blobs of every size come back", blobs_of_every_size_come_back}};
}

}  // namespace aios::store::testing
