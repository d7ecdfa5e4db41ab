// SPDX-License-Identifier: Apache-2.0
#pragma once
// govern/audit_patrol: goes over the files of all tenants' logs while the server runs, a few tiles
// a second, so that one that was altered is known within a day and not when an auditor comes. Files
// that are missing are not its business: AuditLog writes them again, and says so.
// Threading: look() and hurry() block for the disk, on any thread, one at a time: look() does
// nothing meanwhile, hurry() waits for its turn. seen() from any thread.

#include "core/context.h"
#include "core/result.h"
#include "govern/audit_verify.h"
#include "runtime/executor.h"

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace aios::govern {

class AuditPatrol {
 public:
  /// A round goes over each log once, up to its checkpoint of then. The next one begins so long
  /// after this one began, and sooner where something was wrong.
  static constexpr Duration round_least = std::chrono::hours(1);
  static constexpr Duration round_least_wrong = std::chrono::minutes(1);
  /// A look takes 256 leaves, or as many as it takes for a round in half a day of looks.
  static constexpr Duration look_period = std::chrono::seconds(1);
  static constexpr Duration round_most = std::chrono::hours(12);
  static constexpr std::size_t hurried_bundles = 256;  ///< of 256 leaves

  /// Once when a log is found altered, with data_loss [AIOS-0521, 0522], and once, with nothing,
  /// when the same place fits again. On the thread that looks.
  using Tell = std::function<void(const TenantId&, const Result<void>& found)>;

  /// @param directory  of AuditLog. @param clock  outlives it.
  AuditPatrol(std::string directory, std::string verifier_key, runtime::Clock& clock, Tell told);

  /// The next few tiles; to be called every look_period.
  void look();
  /// The next hurried_bundles, of a new round where none is under way.
  void hurry();

  struct Seen {
    std::uint64_t logs = 0;    ///< that were verified whole since the start, and are not altered
    std::uint64_t leaves = 0;  ///< in them then
    Time oldest;               ///< when that was, of the one where it is longest ago
    std::uint64_t under_way = 0, under_way_of = 0;  ///< leaves of the present round
    std::vector<std::string> altered;               ///< what is wrong, a line a log
  };
  Seen seen() const;

 private:
  struct Found {
    std::uint64_t leaves = 0;
    Time at;                        ///< 0: not verified yet
    std::string wrong;              ///< empty: nothing known
    std::uint64_t wrong_place = 0;  ///< leaves before it; the most: behind all of them
  };
  struct Walking {
    TenantId tenant;
    LogWalk walk;
  };
  LogCheck check_of(const TenantId& tenant) const;
  void begin();
  void walk(std::uint64_t bundles);
  void note_wrong(const TenantId& tenant, std::uint64_t place, const Error& error);
  void note_right(const Walking& one, bool to_the_end);

  std::string directory_;
  std::string verifier_key_;
  runtime::Clock& clock_;
  Tell told_;
  std::mutex working_;  // held by who looks; guards the members up to mutex_
  std::deque<Walking> round_;
  std::uint64_t bundles_a_look_ = 1;
  Instant due_;
  Instant begun_;
  bool wrong_ = false;  // in this round
  mutable std::mutex mutex_;
  std::map<TenantId, Found> found_;
  std::uint64_t done_ = 0, of_ = 0;  // leaves of this round
};

}  // namespace aios::govern
