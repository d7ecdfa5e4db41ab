// SPDX-License-Identifier: Apache-2.0
#include "flat.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <string_view>
#include <utility>

namespace aios::bench {
namespace {

constexpr std::size_t samples_min = 8;
constexpr std::size_t samples_max = 2'000;

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) {
    return *middle;
  }
  return (*middle + *std::max_element(values.begin(), middle)) / 2;
}

std::vector<Sample> thinned(const std::vector<Sample>& samples) {
  const std::size_t step = (samples.size() + samples_max - 1) / samples_max;
  std::vector<Sample> out;
  for (std::size_t i = 0; i < samples.size(); i += step) {
    out.push_back(samples[i]);
  }
  return out;
}

}  // namespace

Trend trend_of(const std::vector<Sample>& samples) {
  Trend trend;
  if (samples.size() < samples_min) {
    return trend;
  }
  const auto some = thinned(samples);
  std::vector<double> values;
  std::vector<double> slopes;
  slopes.reserve(some.size() * (some.size() - 1) / 2);
  for (std::size_t i = 0; i < some.size(); ++i) {
    values.push_back(some[i].value);
    for (std::size_t j = 0; j < i; ++j) {
      if (some[i].at > some[j].at) {
        slopes.push_back((some[i].value - some[j].value) / (some[i].at - some[j].at));
      }
    }
  }
  if (slopes.empty()) {
    return trend;
  }
  const auto quarter = static_cast<std::ptrdiff_t>(values.size() / 4);
  trend.by_quarters = median({values.end() - quarter, values.end()}) -
                      median({values.begin(), values.begin() + quarter});
  trend.by_slope = median(std::move(slopes)) * (some.back().at - some.front().at);
  trend.median = median(std::move(values));
  return trend;
}

std::vector<Sample> since(const std::vector<Sample>& samples, double at) {
  std::vector<Sample> out;
  std::copy_if(samples.begin(), samples.end(), std::back_inserter(out),
               [at](const Sample& one) { return one.at >= at; });
  return out;
}

PerEvent per_event(const std::vector<Filled>& filled) {
  PerEvent out;
  if (filled.size() < 3) {
    return out;
  }
  const Filled& begin = filled.front();
  const Filled& end = filled.back();
  const double half = (begin.events + end.events) / 2;
  const auto middle = std::min_element(
      filled.begin() + 1, filled.end() - 1, [half](const Filled& a, const Filled& b) {
        return std::abs(a.events - half) < std::abs(b.events - half);
      });
  const auto between = [](const Filled& from, const Filled& to) {
    return (to.bytes - from.bytes) / std::max(1.0, to.events - from.events);
  };
  out.first = between(begin, *middle);
  out.second = between(*middle, end);
  return out;
}

std::vector<std::string> what_grows(const Judged& judged, const Flatness& wanted) {
  std::vector<std::string> out;
  const auto hold = [&out](std::string_view what, double found, double most,
                           std::string_view unit) {
    if (!(found <= most)) {
      out.push_back(
          fmt::format("{} grows by {:.1f}{}, wanted at most {:g}", what, found, unit, most));
    }
  };
  hold("resident memory", judged.resident.growth_percent(), wanted.memory_percent, " %");
  hold("anonymous memory", judged.anonymous.growth_percent(), wanted.memory_percent, " %");
  hold("the number of descriptors", judged.descriptors.growth(), wanted.descriptors, "");
  hold("the number of threads", judged.threads.growth(), wanted.threads, "");
  hold("what the logs of the databases have", judged.logs_mb.growth(), wanted.logs_mb, " MB");
  hold("what files take for each event", judged.bytes.growth_percent(), wanted.per_event_percent,
       " %");
  return out;
}

}  // namespace aios::bench
