// SPDX-License-Identifier: Apache-2.0
// Sentences about what is no longer kept.
#include "core/ids.h"
#include "store/test/subject.h"

#include <fmt/format.h>

namespace aios::store::testing {
namespace {

constexpr auto day = std::chrono::hours(24);

/// A run that was made at that time by its id and is closed now.
std::string close_run(Subject& subject, Time made, unsigned char number) {
  const std::string id = make_id("run", made, {number});
  Transition out = subject.transition();
  out.streams.push_back(write(id, 0, "state", "completed"));
  out.streams.back().end = StreamEnd::closed;
  subject.must_commit(out);
  return id;
}

Expired expire(Subject& subject, Time before, const std::string& after = "",
               std::uint32_t limit = 100) {
  Expiry expiry;
  expiry.prefix = "run";
  expiry.before = before;
  expiry.after = after;
  expiry.limit = limit;
  auto done = subject.run(subject.store().expire(subject.context(), expiry));
  REQUIRE(done.ok());
  return *done;
}

void what_ended_before_is_gone_and_nothing_else(Subject& subject) {
  const Time begin = subject.clock().now();
  const std::string old = close_run(subject, begin, 1);
  Transition open = subject.transition();
  open.streams.push_back(write(make_id("run", begin, {2}), 0, "state", "waiting"));
  subject.must_commit(open);
  Transition other = subject.transition("globex");
  other.streams.push_back(write(make_id("run", begin, {3}), 0, "state", "completed"));
  other.streams.back().end = StreamEnd::closed;
  subject.must_commit(other);
  subject.clock().advance(10 * day);
  const std::string late = close_run(subject, begin + day, 4);  // made then, ended now
  const std::string young = close_run(subject, begin + 10 * day, 5);
  subject.reopen();  // all is in the tables
  const Expired done = expire(subject, begin + 9 * day);
  CHECK(done.streams == 1);
  CHECK(done.next.empty());
  for (int round = 0; round < 2; ++round) {
    CHECK(subject.ids(runs()).size() == 3);
    auto gone = subject.run(subject.store().stream(subject.context(), StreamKind::run, old));
    CHECK(gone.error().code() == Code::not_found);
    auto lines = subject.run(subject.store().history(subject.context(), StreamKind::run, old));
    CHECK(lines.error().code() == Code::not_found);
    CHECK(subject.stream(late).state == "state");
    CHECK(subject.history(young).size() == 1);
    subject.reopen();
  }
  const ListQuery all;  // of the context's tenant
  CHECK(subject.run(subject.store().count(subject.context("globex"), all)).value() == 1);
  CHECK(expire(subject, begin + 9 * day).streams == 0);
}

StreamWrite belonging(StreamKind kind, const std::string& id, const std::string& label,
                      StreamEnd end) {
  StreamWrite out;
  out.kind = kind;
  out.id = id;
  out.label = label;
  out.end = end;
  return out;
}

std::uint64_t count_of(Subject& subject, StreamKind kind) {
  ListQuery query;
  query.kind = kind;
  return subject.run(subject.store().count(subject.context(), query)).value();
}

void what_belongs_to_it_goes_with_it(Subject& subject) {
  const Time begin = subject.clock().now();
  const std::string old = close_run(subject, begin, 1);
  const std::string event = make_id("evt", begin, {1});
  Transition beside = subject.transition();
  auto& streams = beside.streams;
  for (const std::string& run : {old, std::string("run_other")}) {
    streams.push_back(belonging(StreamKind::search_attribute, "intent\x1fsrefund\x1f" + run, run,
                                StreamEnd::closed));
    streams.push_back(belonging(StreamKind::turn, run, "", StreamEnd::closed));
    streams.push_back(belonging(StreamKind::listener, run + "-1", "type", StreamEnd::closed));
  }
  streams.push_back(belonging(StreamKind::event, event, "", StreamEnd::closed));
  streams.push_back(belonging(StreamKind::kept_event, event, "type", StreamEnd::open));
  subject.must_commit(beside);
  subject.clock().advance(10 * day);
  subject.reopen();
  CHECK(expire(subject, begin + 9 * day).streams == 1);
  CHECK(count_of(subject, StreamKind::search_attribute) == 1);
  CHECK(count_of(subject, StreamKind::turn) == 1);
  CHECK(count_of(subject, StreamKind::listener) == 1);
  Expiry events;
  events.kind = StreamKind::event;
  events.prefix = "evt";
  events.before = begin + 9 * day;
  CHECK(count_of(subject, StreamKind::kept_event) == 1);
  CHECK(subject.run(subject.store().expire(subject.context(), events)).value().streams == 1);
  CHECK(count_of(subject, StreamKind::kept_event) == 0);
}

void a_child_that_goes_on_keeps_what_it_listens_for(Subject& subject) {
  const Time begin = subject.clock().now();
  const std::string parent = close_run(subject, begin, 1);
  const std::string child = parent + "-1";
  Transition out = subject.transition();
  out.streams.push_back(write(child, 0, "state", "waiting"));
  out.streams.push_back(belonging(StreamKind::listener, parent + "-2", "type", StreamEnd::closed));
  out.streams.push_back(belonging(StreamKind::listener, child + "-1", "type", StreamEnd::open));
  subject.must_commit(out);
  subject.clock().advance(10 * day);
  subject.reopen();
  CHECK(expire(subject, begin + 9 * day).streams == 1);
  CHECK(count_of(subject, StreamKind::listener) == 1);
  auto kept =
      subject.run(subject.store().stream(subject.context(), StreamKind::listener, child + "-1"));
  CHECK(kept.ok());
  Transition end = subject.transition();
  end.streams.push_back(write(child, 1, "state", "completed"));
  end.streams.back().end = StreamEnd::closed;
  subject.must_commit(end);
  subject.clock().advance(10 * day);
  subject.reopen();
  CHECK(expire(subject, begin + 19 * day).streams == 1);
  CHECK(count_of(subject, StreamKind::listener) == 0);
}

void a_run_that_another_waits_for_stays(Subject& subject) {
  const Time begin = subject.clock().now();
  const std::string parent = make_id("run", begin, {1});
  Transition out = subject.transition();
  out.streams.push_back(write(parent, 0, "state", "waiting"));
  out.streams.push_back(write(parent + "-1", 0, "state", "completed"));
  out.streams.back().end = StreamEnd::closed;
  subject.must_commit(out);
  subject.clock().advance(10 * day);
  subject.reopen();
  CHECK(expire(subject, begin + 9 * day).streams == 0);
  CHECK(subject.stream(parent + "-1").state == "state");
  Transition end = subject.transition();
  end.streams.push_back(write(parent, 1, "state", "completed"));
  end.streams.back().end = StreamEnd::closed;
  subject.must_commit(end);
  subject.clock().advance(10 * day);
  subject.reopen();
  CHECK(expire(subject, begin + 19 * day).streams == 2);
}

void it_goes_on_where_it_stopped(Subject& subject) {
  const Time begin = subject.clock().now();
  for (unsigned char number = 0; number < 25; ++number) {
    close_run(subject, begin, number);
  }
  subject.clock().advance(10 * day);
  subject.reopen();
  std::uint64_t gone = 0;
  std::string after;
  int pages = 0;
  do {
    const Expired page = expire(subject, subject.clock().now() - day, after, 10);
    gone += page.streams;
    after = page.next;
    ++pages;
  } while (!after.empty());
  CHECK(gone == 25);
  CHECK(pages == 3);
  CHECK(subject.ids(runs()).empty());
}

void writing_goes_on_beside_it(Subject& subject) {
  const Time begin = subject.clock().now();
  const std::string id = close_run(subject, begin, 1);
  subject.clock().advance(10 * day);
  subject.reopen();
  Transition again = subject.transition();  // reopened, and not folded yet
  again.streams.push_back(write(id, 1, "again", "running"));
  subject.must_commit(again);
  CHECK(expire(subject, subject.clock().now() - day).streams == 0);
  CHECK(subject.stream(id).state == "again");
  CHECK(subject.history(id).size() == 2);  // of before too
  subject.reopen();
  CHECK(subject.history(id).size() == 2);
  CHECK(subject.stream(id).state == "again");
  CHECK(subject.stream(id).version == 2);
  Transition next = subject.transition();
  next.streams.push_back(write(id, 2, "more", "running"));
  subject.must_commit(next);
}

void a_wrong_expiry_is_refused(Subject& subject) {
  for (const std::uint32_t limit : {0U, 10'001U}) {
    Expiry expiry;
    expiry.prefix = "run";
    expiry.limit = limit;
    auto done = subject.run(subject.store().expire(subject.context(), expiry));
    CHECK(done.error().page() == 406);
  }
  CHECK(subject.run(subject.store().expire(subject.context(), Expiry())).error().page() == 406);
}

}  // namespace

std::vector<Sentence> expiry_sentences() {
  return {
      {"expiry: what ended before is gone and nothing else",
       what_ended_before_is_gone_and_nothing_else},
      {"expiry: what belongs to it goes with it", what_belongs_to_it_goes_with_it},
      {"expiry: a child that goes on keeps what it listens for",
       a_child_that_goes_on_keeps_what_it_listens_for},
      {"expiry: a run that another one waits for stays", a_run_that_another_waits_for_stays},
      {"expiry: it goes on where it stopped", it_goes_on_where_it_stopped},
      {"expiry: writing goes on beside it", writing_goes_on_beside_it},
      {"expiry: a wrong one is refused", a_wrong_expiry_is_refused},
  };
}

}  // namespace aios::store::testing
