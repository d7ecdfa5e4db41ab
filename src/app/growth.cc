// SPDX-License-Identifier: Apache-2.0
#include "app/growth.h"

#include "app/private_file.h"
#include "core/json.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <utility>

namespace aios::app {
namespace {

constexpr auto looked_back = std::chrono::hours(24 * 7);
constexpr auto span_min = std::chrono::hours(6);
constexpr double day_ns = 86'400e9;

std::vector<DiskSample> read(const std::string& file) {
  std::vector<DiskSample> out;
  std::ifstream stream(file);
  std::string line;
  while (out.size() < Growth::samples_max && std::getline(stream, line)) {
    const auto sample = parse_json(line);
    const std::int64_t at = sample.ok() ? int_or(*sample, "at", 0) : 0;
    const std::int64_t bytes = sample.ok() ? int_or(*sample, "bytes", -1) : -1;
    if (at > 0 && bytes >= 0 && (out.empty() || out.back().at.ns < at)) {
      out.push_back({{at}, static_cast<std::uint64_t>(bytes)});
    }
  }
  return out;
}

}  // namespace

std::optional<double> growth_per_day(const std::vector<DiskSample>& samples) {
  if (samples.empty()) {
    return std::nullopt;
  }
  const DiskSample& last = samples.back();
  const auto first = std::find_if(samples.begin(), samples.end(), [&last](const DiskSample& one) {
    return last.at - one.at <= looked_back;
  });
  const Duration span = last.at - first->at;
  if (span < span_min) {
    return std::nullopt;
  }
  const double grown = static_cast<double>(last.bytes) - static_cast<double>(first->bytes);
  return grown * day_ns / static_cast<double>(std::chrono::nanoseconds(span).count());
}

Growth::Growth(std::string file) : file_(std::move(file)), samples_(read(file_)) {}

bool Growth::is_due(Time now) const {
  return samples_.empty() || now < samples_.back().at || now - samples_.back().at >= period;
}

Result<void> Growth::add(DiskSample sample) {
  while (!samples_.empty() && sample.at < samples_.back().at) {
    samples_.pop_back();  // the clock was set back: what it said then is of no use
  }
  samples_.push_back(sample);
  if (samples_.size() > samples_max) {
    samples_.erase(samples_.begin());
  }
  std::string text;
  for (const DiskSample& one : samples_) {
    text += to_text(JsonObject{{"at", one.at.ns}, {"bytes", one.bytes}}) + "\n";
  }
  return write_private_file(file_, text);
}

}  // namespace aios::app
