// SPDX-License-Identifier: Apache-2.0
#include "observe/metrics.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>
#include <thread>

namespace aios::observe {
namespace {

TEST_CASE("metrics: the OpenMetrics text of a counter, a gauge and a histogram is exact") {
  Metrics metrics;
  metrics
      .counter({.name = "test_events", .help = "Events \"in\".", .unit = "", .labels = {"source"}},
               {"web \"x\"\\\n"})
      .add(3);
  metrics.gauge({.name = "test_open", .help = "Open things.", .unit = "", .labels = {}},
                [] { return 2.0; });
  auto& histogram = metrics.histogram(
      {.name = "test_wait", .help = "Wait.", .unit = "seconds", .labels = {}}, {0.5, 1.0});
  histogram.observe(0.5);
  histogram.observe(0.75);
  histogram.observe(9.0);
  CHECK(metrics.open_metrics() ==
        "# TYPE test_events counter\n"
        "# HELP test_events Events \\\"in\\\".\n"
        "test_events_total{source=\"web \\\"x\\\"\\\\\\n\"} 3\n"
        "# TYPE test_open gauge\n"
        "# HELP test_open Open things.\n"
        "test_open 2.0\n"
        "# TYPE test_wait_seconds histogram\n"
        "# UNIT test_wait_seconds seconds\n"
        "# HELP test_wait_seconds Wait.\n"
        "test_wait_seconds_bucket{le=\"0.5\"} 1\n"
        "test_wait_seconds_bucket{le=\"1.0\"} 2\n"
        "test_wait_seconds_bucket{le=\"+Inf\"} 3\n"
        "test_wait_seconds_count 3\n"
        "test_wait_seconds_sum 10.25\n"
        "# EOF\n");
}

TEST_CASE("metrics: the older text names a counter with _total in its head and has no EOF") {
  Metrics metrics;
  metrics.counter({.name = "test_events", .help = "Say \"a\".", .unit = "", .labels = {}}).add();
  CHECK(metrics.prometheus() ==
        "# HELP test_events_total Say \"a\".\n"
        "# TYPE test_events_total counter\n"
        "test_events_total 1\n");
}

TEST_CASE("metrics: the same name and values give the same object") {
  Metrics metrics;
  const MetricInfo info{.name = "test_a", .help = "A.", .unit = "", .labels = {"x"}};
  Counter& first = metrics.counter(info, {"1"});
  CHECK(&first == &metrics.counter(info, {"1"}));
  CHECK(&first != &metrics.counter(info, {"2"}));
}

TEST_CASE("metrics: after 200 series new label values are counted together as other") {
  Metrics metrics;
  const MetricInfo info{.name = "test_a", .help = "A.", .unit = "", .labels = {"x"}};
  for (int i = 0; i < 250; ++i) {
    metrics.counter(info, {std::to_string(i)}).add();
  }
  CHECK(metrics.counter(info, {"0"}).value() == 1);
  CHECK(metrics.counter(info, {"199"}).value() == 1);
  CHECK(metrics.counter(info, {"never seen"}).value() == 50);
  CHECK(metrics.open_metrics().find("test_a_total{x=\"other\"} 50\n") != std::string::npos);
}

TEST_CASE("metrics: a gauge is read at each exposition and a new reader replaces the old") {
  Metrics metrics;
  const MetricInfo info{.name = "test_g", .help = "G.", .unit = "", .labels = {"k"}};
  double value = 1.0;
  metrics.gauge(info, [&value] { return value; }, {"a"});
  CHECK(metrics.open_metrics().find("test_g{k=\"a\"} 1.0\n") != std::string::npos);
  value = std::numeric_limits<double>::infinity();
  CHECK(metrics.open_metrics().find("test_g{k=\"a\"} +Inf\n") != std::string::npos);
  metrics.gauge(info, [] { return 1e-7; }, {"a"});
  CHECK(metrics.open_metrics().find("test_g{k=\"a\"} 1e-07\n") != std::string::npos);
}

TEST_CASE("metrics: a histogram drops NaN and keeps its sum") {
  Histogram histogram({1.0});
  histogram.observe(std::nan(""));
  histogram.observe(1.5);
  CHECK(histogram.count() == 1);
  CHECK(histogram.bucket(0) == 0);
  CHECK(histogram.bucket(1) == 1);
  CHECK(histogram.sum() == 1.5);
}

TEST_CASE("metrics: additions from two threads are all counted") {
  Metrics metrics;
  Counter& counter =
      metrics.counter({.name = "test_n", .help = "N.", .unit = "", .labels = {}}, {});
  const auto work = [&counter] {
    for (int i = 0; i < 10'000; ++i) {
      counter.add();
    }
  };
  std::thread other(work);
  work();
  other.join();
  CHECK(counter.value() == 20'000);
}

TEST_CASE("metrics: latency bounds go from 100 us to 10 s") {
  const auto bounds = latency_bounds_seconds();
  CHECK(bounds.front() == 0.0001);
  CHECK(bounds.back() == 10.0);
  CHECK(bounds.size() == 16);
}

}  // namespace
}  // namespace aios::observe
