// SPDX-License-Identifier: Apache-2.0
#include "observe/metrics.h"

#include "core/result.h"
#include "observe/detail/exposition.h"
#include "observe/metric_table.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>
#include <utility>

namespace aios::observe {

namespace {

constexpr std::size_t series_max = 200;

bool is_name(std::string_view name, bool colon_allowed) {
  const auto letter = [colon_allowed](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           (colon_allowed && c == ':');
  };
  if (name.empty() || !letter(name.front())) {
    return false;
  }
  return std::all_of(name.begin(), name.end(),
                     [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

MetricInfo normalised(MetricInfo info) {
  const std::string suffix = info.unit.empty() ? "" : "_" + info.unit;
  if (!info.name.ends_with(suffix)) {
    info.name += suffix;
  }
  AIOS_ASSERT(is_name(info.name, true));
  AIOS_ASSERT(!info.name.ends_with("_total"));
  for (const std::string& label : info.labels) {
    AIOS_ASSERT(is_name(label, false));
    AIOS_ASSERT(label != "le");
  }
  return info;
}

/// Of the product's own there is one table; a test's have another prefix.
bool is_declared(const MetricInfo& info, detail::Type type) {
  if (!info.name.starts_with("aios_")) {
    return true;
  }
  const MetricRow* row = find_metric(info.name);
  if (row == nullptr || row->type != type) {
    return false;
  }
  const MetricInfo wanted = *row;
  return wanted.labels == info.labels && wanted.help == info.help && wanted.unit == info.unit;
}

}  // namespace

Histogram::Histogram(std::vector<double> bounds)
    : bounds_(std::move(bounds)),
      buckets_(bounds_.size() + 1) {
  AIOS_ASSERT(std::is_sorted(bounds_.begin(), bounds_.end()));
  AIOS_ASSERT(bounds_.empty() || std::isfinite(bounds_.back()));
}

void Histogram::observe(double value) {
  if (std::isnan(value)) {
    return;
  }
  const auto bound = std::lower_bound(bounds_.begin(), bounds_.end(), value);
  buckets_[static_cast<std::size_t>(bound - bounds_.begin())].fetch_add(1,
                                                                        std::memory_order_relaxed);
  sum_.fetch_add(value, std::memory_order_relaxed);
}

std::uint64_t Histogram::bucket(std::size_t index) const {
  return buckets_.at(index).load(std::memory_order_relaxed);
}

std::uint64_t Histogram::count() const {
  std::uint64_t total = 0;
  for (const auto& bucket : buckets_) {
    total += bucket.load(std::memory_order_relaxed);
  }
  return total;
}

double Histogram::sum() const { return sum_.load(std::memory_order_relaxed); }

struct Metrics::Impl {
  mutable std::mutex mutex;
  std::map<std::string, detail::Family, std::less<>> families;

  /// The family, made at its first use. Called with the mutex held.
  detail::Family& family(const MetricInfo& given, detail::Type type) {
    MetricInfo info = normalised(given);
    const auto [at, fresh] = families.try_emplace(info.name);
    detail::Family& found = at->second;
    if (fresh) {
      AIOS_ASSERT(is_declared(info, type));
      found.type = type;
      found.info = std::move(info);
    }
    AIOS_ASSERT(found.type == type);
    AIOS_ASSERT(found.info.labels == given.labels);
    return found;
  }
  static std::vector<std::string> bounded(const detail::Family& family,
                                          const std::vector<std::string>& values) {
    AIOS_ASSERT(values.size() == family.info.labels.size());
    if (family.series.contains(values) || family.series.size() < series_max || values.empty()) {
      return values;
    }
    return std::vector<std::string>(values.size(), "other");
  }
};

Metrics::Metrics() : impl_(std::make_unique<Impl>()) {}
Metrics::~Metrics() = default;

Counter& Metrics::counter(const MetricInfo& info, const std::vector<std::string>& values) {
  std::lock_guard lock(impl_->mutex);
  detail::Family& family = impl_->family(info, detail::Type::counter);
  detail::Series& series = family.series[Impl::bounded(family, values)];
  if (!series.counter) {
    series.counter = std::make_unique<Counter>();
  }
  return *series.counter;
}

Histogram& Metrics::histogram(const MetricInfo& info, const std::vector<double>& bounds,
                              const std::vector<std::string>& values) {
  std::lock_guard lock(impl_->mutex);
  detail::Family& family = impl_->family(info, detail::Type::histogram);
  detail::Series& series = family.series[Impl::bounded(family, values)];
  if (!series.histogram) {
    series.histogram = std::make_unique<Histogram>(bounds);
  }
  return *series.histogram;
}

void Metrics::gauge(const MetricInfo& info, std::function<double()> read,
                    const std::vector<std::string>& values) {
  std::lock_guard lock(impl_->mutex);
  detail::Family& family = impl_->family(info, detail::Type::gauge);
  AIOS_ASSERT(values.size() == family.info.labels.size());
  if (!family.series.contains(values) && family.series.size() >= series_max) {
    return;
  }
  family.series[values].gauge = std::move(read);
}

std::string Metrics::open_metrics() const {
  std::lock_guard lock(impl_->mutex);
  std::string out;
  for (const auto& [name, family] : impl_->families) {
    detail::print_family(family, detail::Form::open_metrics, &out);
  }
  out += "# EOF\n";
  return out;
}

std::string Metrics::prometheus() const {
  std::lock_guard lock(impl_->mutex);
  std::string out;
  for (const auto& [name, family] : impl_->families) {
    detail::print_family(family, detail::Form::prometheus, &out);
  }
  return out;
}

std::vector<double> latency_bounds_seconds() {
  return {0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02,
          0.05,   0.1,    0.2,    0.5,   1.0,   2.0,   5.0,  10.0};
}

}  // namespace aios::observe
