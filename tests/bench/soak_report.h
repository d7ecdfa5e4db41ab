// SPDX-License-Identifier: Apache-2.0
#pragma once
// tests/bench/soak_report: what a soak saw, what is to be said of it, and whether it is flat.

#include "soak_watch.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace aios::bench {

/// What a soak has after one of its parts.
struct SoakPart {
  double at = 0;  ///< seconds since the watch began
  double events = 0;
  double p99_ms = 0;
  double descriptors = 0;  ///< at rest, after the day that passed
  std::map<std::string, double> bytes;
  double runs_kept = 0;
};

struct SoakOutcome {
  double seconds = 0;  ///< that were asked for
  double loaded_seconds = 0;
  double peak_per_s = 0;
  double lost = 0;
  double taken_away = 0;  ///< runs
  double days_kept = 0;   ///< 0: no day passed
  std::size_t connections = 0;
  std::uint64_t questions = 0;
  std::uint64_t looked = 0;
  std::string mix;
  std::vector<SoakPart> parts;  ///< the first one is what stood before all of them
  Watched watched;
};

/// Prints table and notes, and writes the file. @return 0; 1: something grows, or no file
int report_soak(const SoakOutcome& of, const std::string& json);

}  // namespace aios::bench
