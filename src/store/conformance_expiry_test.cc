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
  (void)expire(subject, subject.clock().now() - day);
  CHECK(subject.stream(id).state == "again");
  subject.reopen();
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
      {"expiry: it goes on where it stopped", it_goes_on_where_it_stopped},
      {"expiry: writing goes on beside it", writing_goes_on_beside_it},
      {"expiry: a wrong one is refused", a_wrong_expiry_is_refused},
  };
}

}  // namespace aios::store::testing
