// SPDX-License-Identifier: Apache-2.0
#pragma once
// app/growth: how much disk the data take, looked at once an hour and kept for 30 days in a small
// file beside the data, so that somebody can be told when the disk will be full. The file may be
// lost: it is begun anew. Threading: one caller at a time.

#include "core/result.h"
#include "core/time.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace aios::app {

struct DiskSample {
  Time at;
  std::uint64_t bytes = 0;
};

/// Bytes a day between the first and the last sample of the last seven days; nothing when they are
/// less than six hours apart.
std::optional<double> growth_per_day(const std::vector<DiskSample>& samples);

class Growth {
 public:
  static constexpr std::size_t samples_max = 24 * 30;
  static constexpr Duration period = std::chrono::hours(1);

  /// Reads what is there; what cannot be read counts as nothing.
  explicit Growth(std::string file);
  /// Whether an hour has passed since the last sample, or the clock was set back.
  bool is_due(Time now) const;
  /// Adds one and writes the file. Blocks. resource_exhausted or permission_denied [AIOS-1403].
  Result<void> add(DiskSample sample);
  const std::vector<DiskSample>& samples() const { return samples_; }

 private:
  std::string file_;
  std::vector<DiskSample> samples_;  ///< oldest first
};

}  // namespace aios::app
