// SPDX-License-Identifier: Apache-2.0
#include "observe/line_writer.h"

#include "core/json.h"

#include <doctest/doctest.h>

#include <csignal>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

namespace aios::observe {
namespace {

/// A pipe that holds one page.
struct Pipe {
  Pipe() {
    REQUIRE(::pipe(ends) == 0);
    REQUIRE(::fcntl(ends[1], F_SETPIPE_SZ, 4096) >= 4096);
  }
  ~Pipe() {
    ::close(ends[0]);
    close_writing();
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  void close_writing() { ::close(std::exchange(ends[1], -1)); }
  /// To the end of all writers.
  std::vector<std::string> read_lines() const {
    std::string text;
    std::string part(4096, '\0');
    for (ssize_t got = 1; got > 0;) {
      got = ::read(ends[0], part.data(), part.size());
      text.append(part, 0, got > 0 ? static_cast<std::size_t>(got) : 0);
    }
    std::vector<std::string> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) {
      lines.push_back(line);
    }
    return lines;
  }
  int ends[2] = {-1, -1};
};

std::string numbered(std::int64_t number) {
  return to_text(JsonObject{{"n", number}, {"filling", std::string(100, 'x')}});
}

TEST_CASE("line_writer: lines come whole and in their order") {
  Pipe pipe;
  {
    LineWriter writer(pipe.ends[1]);
    writer.write("one");
    writer.write("two");
    CHECK(writer.flush(std::chrono::minutes(1)));
    CHECK(writer.dropped() == 0);
  }
  pipe.close_writing();
  CHECK(pipe.read_lines() == std::vector<std::string>{"one", "two"});
}

TEST_CASE("line_writer: who does not read stops no writer, and is told in place what is missing") {
  constexpr std::int64_t count = 2000;
  Pipe pipe;
  auto writer = std::make_unique<LineWriter>(pipe.ends[1], 10'000);
  pipe.close_writing();  // the writer has its own
  for (std::int64_t i = 0; i < count; ++i) {
    writer->write(numbered(i));
  }
  CHECK_FALSE(writer->flush(Duration(0)));
  const auto dropped = static_cast<std::int64_t>(writer->dropped());
  CHECK(dropped > 1000);
  writer.reset();  // ends though nobody reads; the thread goes on for whoever still does

  std::int64_t next = 0;
  std::int64_t told = 0;
  for (const std::string& line : pipe.read_lines()) {
    const auto parsed = parse_json(line);
    REQUIRE(parsed.ok());
    if (const Json* fields = find(*parsed, "fields"); fields != nullptr) {
      CHECK(text_or(*parsed, "level", "") == "warn");
      const std::int64_t lines = int_or(*fields, "lines", 0);
      CHECK(lines > 0);
      told += lines;
      next += lines;  // those are the ones that would stand here
    } else {
      CHECK(int_or(*parsed, "n", -1) == next);
      ++next;
    }
  }
  CHECK(told == dropped);
  CHECK(next == count);
}

TEST_CASE("line_writer: a reader that left costs the lines, which are counted, and no more") {
  const auto before = std::signal(SIGPIPE, SIG_IGN);
  Pipe pipe;
  LineWriter writer(pipe.ends[1]);
  ::close(std::exchange(pipe.ends[0], -1));
  writer.write("one");
  writer.write("two");
  CHECK(writer.flush(std::chrono::minutes(1)));
  CHECK(writer.dropped() == 2);
  std::signal(SIGPIPE, before);
}

}  // namespace
}  // namespace aios::observe
