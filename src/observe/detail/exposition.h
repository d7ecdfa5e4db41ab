// SPDX-License-Identifier: Apache-2.0
#pragma once
// observe/detail/exposition: the text of one metric family.
// Source: OpenMetrics 1.0 (text format); Prometheus text format 0.0.4.

#include "observe/metric_table.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace aios::observe::detail {

using Type = MetricType;
enum class Form : std::uint8_t { open_metrics, prometheus };

struct Series {
  std::unique_ptr<Counter> counter;
  std::unique_ptr<Histogram> histogram;
  std::function<double()> gauge;
};

struct Family {
  Type type = Type::counter;
  MetricInfo info;
  std::map<std::vector<std::string>, Series> series;  ///< by label values
};

void print_family(const Family& family, Form form, std::string* out);

/// A float as OpenMetrics writes it: shortest text that reads back equal, with ".0" on integers.
std::string number_text(double value);

}  // namespace aios::observe::detail
