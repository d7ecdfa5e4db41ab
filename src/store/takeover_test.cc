// SPDX-License-Identifier: Apache-2.0
// Two processes on one data directory where locks do not hold: the one that lost the epoch writes
// nothing more. The other one is played by a connection of the test's own.
#include "store/detail/sqlite_db.h"
#include "store/test/subject.h"

#include <fmt/format.h>

#include <future>
#include <mutex>

using namespace aios;
using namespace aios::store;
using namespace aios::store::testing;

namespace {

Transition writing(Subject& subject, const std::string& id) {
  Transition out = subject.transition();
  out.streams.push_back(write(id, 0, "state"));
  return out;
}

/// What the store ends its process with: the first time, as a process ends once. Kept as long as
/// the store may still say it.
class Ending {
 public:
  explicit Ending(Subject& subject) {
    subject.options().on_fatal = [told = told_](const std::string& what) {
      std::call_once(told->once, [&] { told->text.set_value(what); });
    };
    subject.reopen();
  }
  std::string text() {
    auto what = told_->text.get_future();
    REQUIRE(what.wait_for(std::chrono::seconds(60)) == std::future_status::ready);
    return what.get();
  }

 private:
  struct Told {
    std::once_flag once;
    std::promise<std::string> text;
  };
  std::shared_ptr<Told> told_ = std::make_shared<Told>();
};

class Other {
 public:
  explicit Other(Subject& subject)
      : db_(detail::Db::open(subject.options().directory + "/journal.db", detail::Access::write)) {
    REQUIRE(db_.ok());
  }
  void does(const std::string& sql) { REQUIRE((*db_)->run(sql).ok()); }
  std::int64_t asks(const std::string& sql) {
    auto found = (*db_)->one_integer(sql);
    REQUIRE(found.ok());
    return *found;
  }

 private:
  Result<std::unique_ptr<detail::Db>> db_;
};

constexpr const char* newest = "SELECT max(sequence) FROM journal";

}  // namespace

TEST_CASE("store: who lost the epoch writes nothing more and says why") {
  Subject subject(Kind::sqlite);
  Ending ending(subject);
  subject.must_commit(writing(subject, "run_a"));
  Other other(subject);
  const std::int64_t before = other.asks(newest);
  other.does("UPDATE epoch SET value = value + 1");
  for (const char* id : {"run_b", "run_c"}) {
    auto refused = subject.commit(writing(subject, id));
    REQUIRE(!refused.ok());
    CHECK(refused.error().code() == Code::failed_precondition);
    CHECK(refused.error().page() == 424);
    other.does("UPDATE epoch SET value = value - 1");  // nor when it looks like its own again
  }
  CHECK(ending.text().find("AIOS-0424") != std::string::npos);
  CHECK(other.asks(newest) == before);
}

TEST_CASE("store: who lost the epoch notices it also when nobody writes") {
  Subject subject(Kind::sqlite);
  Ending ending(subject);
  Other(subject).does("UPDATE epoch SET value = value + 1");
  const std::string text = ending.text();
  CHECK(text.find("AIOS-0424") != std::string::npos);
  CHECK(text.find("journal.db") != std::string::npos);
}

TEST_CASE("store: a journal row that somebody else wrote ends the store") {
  Subject subject(Kind::sqlite);
  Ending ending(subject);
  subject.must_commit(writing(subject, "run_a"));
  Other other(subject);
  other.does("INSERT INTO journal SELECT max(sequence) + 1, time, first_leaf, x'00' FROM journal");
  const std::int64_t before = other.asks(newest);
  auto refused = subject.commit(writing(subject, "run_b"));
  REQUIRE(!refused.ok());
  CHECK(refused.error().page() == 424);
  CHECK(ending.text().find(fmt::format("row {}", before)) != std::string::npos);
  CHECK(other.asks(newest) == before);
}
