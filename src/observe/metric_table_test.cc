// SPDX-License-Identifier: Apache-2.0
#include "observe/metric_table.h"

#include <doctest/doctest.h>

#include <string>

namespace aios::observe {
namespace {

static_assert(find_metric("aios_made_up") == nullptr);
static_assert(metric("aios_runs_started").type == MetricType::counter);

TEST_CASE("metric table: the rows are in order, each a sentence, a unit and named labels") {
  std::string_view before;
  for (const MetricRow& row : all_metrics()) {
    CAPTURE(row.name);
    CHECK(before < row.name);
    before = row.name;
    CHECK(row.name.starts_with("aios_"));
    CHECK((row.unit.empty() || row.name.ends_with("_" + std::string(row.unit))));
    CHECK(row.help.ends_with('.'));
    bool ended = false;
    for (const MetricLabel& label : row.labels) {
      CHECK_FALSE((ended && !label.name.empty()));
      CHECK(label.name.empty() == label.values.empty());
      ended = label.name.empty();
    }
  }
}

TEST_CASE("metric table: what is exposed of a metric is what its row says") {
  Metrics metrics;
  for (const MetricRow& row : all_metrics()) {
    const MetricInfo info = row;
    const std::vector<std::string> values(info.labels.size(), "x");
    switch (row.type) {
      case MetricType::counter: metrics.counter(row, values).add(); break;
      case MetricType::gauge: metrics.gauge(row, [] { return 1.0; }, values); break;
      case MetricType::histogram: metrics.histogram(row, {1.0}, values).observe(2.0); break;
    }
  }
  const std::string text = "\n" + metrics.open_metrics();
  for (const MetricRow& row : all_metrics()) {
    const std::string name(row.name);
    CAPTURE(name);
    CHECK(text.find("\n# TYPE " + name + " " + std::string(name_of(row.type)) + "\n") !=
          std::string::npos);
    CHECK(text.find("\n# HELP " + name + " " + std::string(row.help) + "\n") != std::string::npos);
    CHECK((text.find("\n# UNIT " + name + " ") != std::string::npos) == !row.unit.empty());
  }
}

}  // namespace
}  // namespace aios::observe
