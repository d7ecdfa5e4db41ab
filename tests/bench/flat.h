// SPDX-License-Identifier: Apache-2.0
#pragma once
// tests/bench/flat: whether a series of samples grows. Threading: any.

#include <string>
#include <vector>

namespace aios::bench {

struct Sample {
  double at = 0;  ///< seconds
  double value = 0;
};

/// How a series grows from its first to its last sample. One sample in four may be far off without
/// moving either of the two estimates.
struct Trend {
  double median = 0;
  /// Theil-Sen: the median of the slopes between all pairs of samples, over the whole time.
  double by_slope = 0;
  /// Median of the last quarter of the samples less that of the first.
  double by_quarters = 0;
  double growth() const { return by_slope > by_quarters ? by_slope : by_quarters; }
  double growth_percent() const { return median > 0 ? growth() / median * 100 : 0; }
};

/// Of at most 2,000 samples all count, of more every n-th. Fewer than eight have no trend: all 0.
Trend trend_of(const std::vector<Sample>& samples);
/// Those at or after a time.
std::vector<Sample> since(const std::vector<Sample>& samples, double at);

/// What files took for each event in the first half of the events, and in the second.
struct PerEvent {
  double first = 0;
  double second = 0;
  double growth_percent() const { return first > 0 ? (second / first - 1) * 100 : 0; }
};
struct Filled {
  double events = 0;  ///< so far
  double bytes = 0;
};
/// Fewer than three: nothing. The middle is the entry nearest to half of the events.
PerEvent per_event(const std::vector<Filled>& filled);

/// What a soak must hold, and by how much it may miss it.
struct Flatness {
  double memory_percent = 5;  ///< resident and anonymous
  double descriptors = 2;     ///< more
  double threads = 1;         ///< more
  double logs_mb = 32;        ///< of the databases: what the journal's may have before it is copied
  double per_event_percent = 10;  ///< bytes an event, second half against first
};
struct Judged {
  Trend resident;
  Trend anonymous;
  Trend descriptors;
  Trend threads;
  Trend logs_mb;
  PerEvent bytes;
};
/// What grows, in words; empty: all is flat.
std::vector<std::string> what_grows(const Judged& judged, const Flatness& wanted);

}  // namespace aios::bench
