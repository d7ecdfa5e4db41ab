// SPDX-License-Identifier: Apache-2.0
// Names that nobody answers for: whoever asks leaves in time, and nobody else waits for them.
#include "net/detail/names.h"

#include "net/detail/socket.h"
#include "net/server.h"
#include "runtime/executor.h"
#include "runtime/shards.h"

#include <doctest/doctest.h>

#include <chrono>
#include <condition_variable>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace aios::net::detail {
namespace {

using std::chrono::seconds;

/// A name server for tests: "slow..." hangs until it is let go, "gone..." is unknown, all else is
/// this machine. Shared with the threads that ask it.
struct Book {
  Names::Addresses look_up(const std::string& host) {
    std::unique_lock lock(mutex);
    ++asked[host];
    if (host.starts_with("slow")) {
      ++hanging;
      changed.notify_all();
      changed.wait(lock, [this] { return let_go; });
      --hanging;
      changed.notify_all();
    }
    return host.starts_with("gone") ? Names::Addresses() : Names::Addresses{"127.0.0.1"};
  }
  void wait_for_hanging(std::size_t count) {
    std::unique_lock lock(mutex);
    REQUIRE(changed.wait_for(lock, seconds(10), [&] { return hanging == count; }));
  }
  void end() {
    const std::lock_guard lock(mutex);
    let_go = true;
    changed.notify_all();
  }
  std::mutex mutex;
  std::condition_variable changed;
  std::map<std::string, int> asked;
  std::size_t hanging = 0;
  bool let_go = false;
};

struct Fixture {
  Fixture() = default;
  Fixture(const Fixture&) = delete;
  Fixture& operator=(const Fixture&) = delete;
  ~Fixture() { book->end(); }
  std::future<Names::Addresses> ask(const std::string& host) const {
    auto promise = std::make_shared<std::promise<Names::Addresses>>();
    auto future = promise->get_future();
    names->ask(host, [promise](const Names::Addresses& found) { promise->set_value(found); });
    return future;
  }
  static bool has_come(std::future<Names::Addresses>& future, Duration span) {
    return future.wait_for(span) == std::future_status::ready;
  }

  std::shared_ptr<Book> book = std::make_shared<Book>();
  std::shared_ptr<Names> names = std::make_shared<Names>(
      [held = book](const std::string& host) { return held->look_up(host); });
};

Task<IoResult> connect_within(void* io_context, Target target, Duration span) {
  ClientSocket socket(io_context, target);
  runtime::Executor& executor = *runtime::Executor::current();
  const auto timer =
      executor.call_at(executor.clock().instant() + span, [&socket] { socket.close(); });
  auto connected = co_await socket.connect();
  executor.cancel(timer);
  co_return connected;
}

}  // namespace

TEST_CASE("names: one that hangs holds up no other, and is asked for once at a time") {
  const Fixture fixture;
  auto first = fixture.ask("slow.example");
  fixture.book->wait_for_hanging(1);
  auto second = fixture.ask("slow.example");
  auto other = fixture.ask("good.example");
  REQUIRE(Fixture::has_come(other, seconds(10)));
  CHECK(other.get() == Names::Addresses{"127.0.0.1"});
  CHECK_FALSE(Fixture::has_come(first, Duration(0)));
  fixture.book->end();
  REQUIRE(Fixture::has_come(second, seconds(10)));
  CHECK(first.get() == second.get());
  CHECK(fixture.book->asked.at("slow.example") == 1);
}

TEST_CASE("names: as many as there are threads may hang, then others wait for one of them") {
  const Fixture fixture;
  for (std::size_t i = 0; i < Names::threads_max; ++i) {
    (void)fixture.ask("slow" + std::to_string(i));
  }
  fixture.book->wait_for_hanging(Names::threads_max);
  auto other = fixture.ask("good.example");
  CHECK_FALSE(Fixture::has_come(other, Duration(0)));
  fixture.book->end();
  CHECK(Fixture::has_come(other, seconds(10)));
}

TEST_CASE("names: beyond the bound whoever asks for one that hangs is told none") {
  const Fixture fixture;
  for (std::size_t i = 0; i < Names::waiting_max; ++i) {
    (void)fixture.ask("slow.example");
  }
  auto beyond = fixture.ask("slow.example");
  REQUIRE(Fixture::has_come(beyond, Duration(0)));
  CHECK(beyond.get().empty());
}

TEST_CASE("names: who is gone is not answered, and does not wait for one that hangs") {
  Fixture fixture;
  auto left = fixture.ask("slow.example");
  fixture.book->wait_for_hanging(1);
  fixture.names.reset();  // does not wait either
  fixture.book->end();
  fixture.book->wait_for_hanging(0);
  CHECK_THROWS_AS(left.get(), std::future_error);  // its promise is gone, unanswered
}

TEST_CASE(
    "names: a connect to one that hangs ends when it is closed, one that is unknown at once") {
  const Fixture fixture;
  runtime::Shards shards(1);
  const Router router;
  auto server = start_server(shards, router, {});
  REQUIRE(server.ok());
  const auto connect = [&](const std::string& host, Duration span) {
    const Target target{
        .host = host, .port = (*server)->port(), .tls = nullptr, .names = fixture.names};
    return shards.run(0, connect_within(shards.io_context(0), target, span));
  };
  CHECK(connect("slow.example", std::chrono::milliseconds(20)).status == IoStatus::aborted);
  CHECK(connect("good.example", seconds(20)).ok());
  const auto unknown = connect("gone.example", seconds(20));
  CHECK(unknown.status == IoStatus::failed);
  CHECK(std::string(unknown.text) == "host name not found");
}

}  // namespace aios::net::detail
