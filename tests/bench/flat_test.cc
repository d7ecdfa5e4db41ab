// SPDX-License-Identifier: Apache-2.0
#include "flat.h"

#include "program.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <cstring>
#include <memory>

namespace aios::bench {
namespace {

/// 300 samples, five seconds apart.
template <class Value>
std::vector<Sample> series(Value value) {
  std::vector<Sample> out;
  for (int i = 0; i < 300; ++i) {
    out.push_back({i * 5.0, value(i)});
  }
  return out;
}

/// Between -1 and 1, the same at each call with the same number.
double noise(int i) { return static_cast<double>(i * 7919 % 201 - 100) / 100; }

Judged flat() {
  Judged out;
  out.resident = trend_of(series([](int i) { return 200 + 10 * noise(i); }));
  out.anonymous = trend_of(series([](int i) { return 150 + 10 * noise(i); }));
  out.descriptors = trend_of(series([](int i) { return 180.0 + i % 3; }));
  out.threads = trend_of(series([](int i) { return i % 40 == 0 ? 13.0 : 12.0; }));
  out.logs_mb = trend_of(series([](int i) { return i < 20 ? 60.0 : 70.0; }));
  out.bytes = {2'000, 2'010};
  return out;
}

std::vector<std::string> found(const Judged& judged) { return what_grows(judged, {}); }

}  // namespace

TEST_CASE("flat: what goes up and down but does not grow is flat") { CHECK(found(flat()).empty()); }

TEST_CASE("flat: a leak is refused, under noise larger than it and with samples far off") {
  auto judged = flat();
  judged.resident = trend_of(series([](int i) {
    return 200 + 0.05 * i + 10 * noise(i) + (i % 10 == 0 ? 300 : 0);  // 15 MB in all
  }));
  REQUIRE(found(judged).size() == 1);
  CHECK(found(judged)[0].find("resident memory") == 0);
  CHECK(judged.resident.by_slope == doctest::Approx(15).epsilon(0.2));
}

TEST_CASE("flat: a leak that begins late is seen by the quarters") {
  const auto trend =
      trend_of(series([](int i) { return 200 + (i < 200 ? 0.0 : 0.3 * (i - 200)); }));
  CHECK(trend.growth_percent() > 5);
}

TEST_CASE("flat: samples far off alone are no growth") {
  const auto trend = trend_of(series([](int i) { return i % 5 == 4 ? 900.0 : 200.0; }));
  CHECK(trend.growth() == 0);
}

TEST_CASE("flat: each of the series can refuse") {
  const auto leaking = [](double each) {
    return trend_of(series([each](int i) { return 100 + each * i; }));
  };
  auto judged = flat();
  judged.anonymous = leaking(0.05);
  CHECK(found(judged).size() == 1);
  judged.descriptors = leaking(0.02);
  CHECK(found(judged).size() == 2);
  judged.threads = leaking(0.02);
  CHECK(found(judged).size() == 3);
  judged.logs_mb = leaking(0.2);
  CHECK(found(judged).size() == 4);
  judged.bytes = {2'000, 2'400};
  CHECK(found(judged).size() == 5);
}

TEST_CASE("flat: a few samples have no trend, and the time before is left out") {
  CHECK(trend_of({{0, 1}, {1, 2}, {2, 3}}).growth() == 0);
  const auto warm = series([](int i) { return i < 100 ? 2.0 * i : 200.0; });
  CHECK(trend_of(warm).growth_percent() > 5);
  CHECK(trend_of(since(warm, 500)).growth() == 0);
}

TEST_CASE("flat: bytes an event are compared over halves of the events, not of the time") {
  const auto even = per_event({{0, 0}, {10, 1'000}, {100, 10'000}, {200, 20'000}});
  CHECK(even.first == 100);
  CHECK(even.second == 100);
  const auto growing = per_event({{0, 0}, {50, 5'000}, {100, 10'000}, {200, 25'000}});
  CHECK(growing.growth_percent() == doctest::Approx(50));
  CHECK(per_event({{0, 0}, {10, 1'000}}).first == 0);
}

TEST_CASE(
    "flat: a process that keeps memory and descriptors is seen through what the kernel says") {
  std::vector<Sample> anonymous;
  std::vector<Sample> open;
  std::vector<std::unique_ptr<char[]>> kept;
  std::vector<int> files;
  for (int i = 0; i < 40; ++i) {
    constexpr std::size_t bytes = std::size_t{4} << 20;
    kept.push_back(std::make_unique<char[]>(bytes));
    std::memset(kept.back().get(), i + 1, bytes);
    files.push_back(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    anonymous.push_back({i * 1.0, memory_mb(::getpid(), "Anonymous")});
    open.push_back({i * 1.0, descriptors(::getpid())});
  }
  for (const int file : files) {
    ::close(file);
  }
  Judged judged = flat();
  judged.anonymous = trend_of(anonymous);
  judged.descriptors = trend_of(open);
  CHECK(judged.anonymous.by_slope > 100);
  CHECK(judged.descriptors.by_slope == doctest::Approx(39));
  CHECK(found(judged).size() == 2);
  CHECK(threads(::getpid()) >= 1);
}

}  // namespace aios::bench
