// SPDX-License-Identifier: Apache-2.0
#pragma once
// observe/metrics: counters, gauges and histograms with fixed label names, and their text
// (OpenMetrics 1.0 and the older Prometheus 0.0.4 form). The product's metrics are declared in
// observe/metric_table.h, and one with its prefix that is not ends the process. Label values are
// bounded: after 200 series of one metric new label sets are counted under "other".
// Threading: any; an increment is one relaxed atomic add once the series is looked up (keep the
// handle).

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace aios::observe {

class Counter {
 public:
  void add(std::uint64_t n = 1) { value_.fetch_add(n, std::memory_order_relaxed); }
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

class Histogram {
 public:
  explicit Histogram(std::vector<double> bounds);
  void observe(double value);  ///< NaN is not counted
  const std::vector<double>& bounds() const { return bounds_; }
  std::uint64_t bucket(std::size_t index) const;  ///< not cumulative; index bounds().size() is +Inf
  std::uint64_t count() const;
  double sum() const;

 private:
  std::vector<double> bounds_;
  std::vector<std::atomic<std::uint64_t>> buckets_;
  std::atomic<double> sum_{0};
};

struct MetricInfo {
  std::string name;  ///< without _total; "_" + unit is appended where it is missing
  std::string help;  ///< one sentence
  std::string unit;  ///< "seconds", "bytes" or ""
  std::vector<std::string> labels;
};

class Metrics {
 public:
  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;
  /// The same name and label values give the same object; it lives as long as Metrics. Values in
  /// the labels' order. A name that was declared as another type or with other labels, or that is
  /// no OpenMetrics name, ends the process: it is a mistake in the program.
  Counter& counter(const MetricInfo& info, const std::vector<std::string>& values = {});
  /// @param bounds  ascending, without infinity.
  Histogram& histogram(const MetricInfo& info, const std::vector<double>& bounds,
                       const std::vector<std::string>& values = {});
  /// Read at each exposition, on the thread that asks; must not call Metrics. The same name and
  /// values again replace the reader; beyond 200 series a new reader is dropped.
  void gauge(const MetricInfo& info, std::function<double()> read,
             const std::vector<std::string>& values = {});
  std::string open_metrics() const;  ///< application/openmetrics-text; version=1.0.0
  std::string prometheus() const;    ///< text/plain; version=0.0.4

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// 100 us to 10 s in 1-2-5 steps.
std::vector<double> latency_bounds_seconds();

}  // namespace aios::observe
