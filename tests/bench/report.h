// SPDX-License-Identifier: Apache-2.0
#pragma once
// tests/bench/report: what every benchmark says: a table on stdout and the same rows as JSON, with
// machine and commit. Threading: one.

#include "core/json.h"
#include "core/time.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aios::bench {

enum class Better : unsigned char { higher, lower };

struct Row {
  std::string name;
  double value = 0;
  std::string unit;
  std::optional<double> mark;  ///< nothing: for information
  Better better = Better::higher;
  bool holds() const;
};

struct Options {
  double seconds = 5;  ///< of each timed phase
  std::string folder;  ///< for data; made, and removed afterwards
  std::string json;    ///< where the rows go
};
/// --seconds N or --minutes N, --folder DIR, --json FILE; anything else ends the process with 2 and
/// a text.
/// @param seconds  unless said; up to seconds_max
Options read_options(int argc, char** argv, std::string_view name, double seconds = 5,
                     double seconds_max = 600);

class Report {
 public:
  explicit Report(std::string_view name);
  void add(Row row) { rows_.push_back(std::move(row)); }
  /// One line under the table, and in the JSON.
  void note(std::string text) { notes_.push_back(std::move(text)); }
  /// Prints the table and writes the file. False when the file cannot be written.
  bool finish(const std::string& json) const;

 private:
  std::string name_;
  std::vector<Row> rows_;
  std::vector<std::string> notes_;
};

/// The value below which this share of the sorted samples lies; 0 without samples.
double quantile(std::vector<double> samples, double share);
/// CPU time of this process, all threads.
Duration process_cpu();
/// Bytes of all files below a directory, as allocated.
std::uint64_t bytes_below(const std::string& directory);
/// Median of one 4 KiB append and fdatasync in this directory, microseconds.
double fdatasync_us(const std::string& directory, int times);

}  // namespace aios::bench
