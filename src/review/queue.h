// SPDX-License-Identifier: Apache-2.0
#pragma once
// review/queue: which of the questions that wait are wanted, and in which order.

#include "review/review_info.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace aios::review {

class Desk;

/// Open questions that one tenant may have: an index of them is in memory.
inline constexpr std::size_t waiting_max = 100'000;

enum class QueueOrder : std::uint8_t {
  oldest,
  urgency,  ///< highest priority, then the earliest due time (none is last), then the oldest
};

struct QueueQuery {
  std::string status;              ///< open or approval; empty: both
  std::vector<std::string> roles;  ///< one of these may answer or, in approval, approve; empty: any
  std::string workflow;            ///< "namespace/name" or the name alone; empty: any
  std::string claimed_by;          ///< now; empty: whoever
  std::optional<bool> claimed;     ///< now, by anybody
  std::optional<bool> overdue;     ///< the due time has passed
  int priority_min = 0;
  QueueOrder order = QueueOrder::oldest;
  std::string after;          ///< exclusive start: QueuePage::next
  std::uint32_t limit = 100;  ///< 1 to 1,000
};

struct QueuePage {
  std::vector<ReviewInfo> items;  ///< without what ReviewInfo::summary_json() leaves out
  std::string next;               ///< empty: no more
};

struct QueueCounts {
  std::uint64_t open = 0, approval = 0, overdue = 0, claimed = 0;
};

}  // namespace aios::review
