// SPDX-License-Identifier: Apache-2.0
#include "observe/metric_table.h"

#include <string>

namespace aios::observe {

std::string_view name_of(MetricType type) {
  switch (type) {
    case MetricType::counter: return "counter";
    case MetricType::gauge: return "gauge";
    case MetricType::histogram: return "histogram";
  }
  return "counter";
}

MetricRow::operator MetricInfo() const {
  MetricInfo out{std::string(name), std::string(help), std::string(unit), {}};
  for (const MetricLabel& label : labels) {
    if (!label.name.empty()) {
      out.labels.emplace_back(label.name);
    }
  }
  return out;
}

}  // namespace aios::observe
