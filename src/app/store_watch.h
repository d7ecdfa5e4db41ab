// SPDX-License-Identifier: Apache-2.0
#pragma once
// app/store_watch: tells operators how the store is: gauges, a line in the log when it becomes
// read-only and one when it takes writes again, and whether its data can still be read and folded.
// Threading: look() and saw() on one executor, the rest on any thread.

#include "core/result.h"
#include "observe/log.h"
#include "observe/metrics.h"
#include "store/store.h"

#include <atomic>

namespace aios::app {

class StoreWatch {
 public:
  /// All three must outlive it, and it must outlive the last exposition of the metrics.
  StoreWatch(const store::Store& store, const observe::Log& log, observe::Metrics& metrics);
  /// Once a second or so: writes the lines, and takes note of tables that are damaged or take up
  /// nothing.
  void look();
  /// How a regular fold of the audit log ended: a line for each new reason that it cannot be, and
  /// one when it can again. data_loss makes the store damaged until one succeeds.
  void saw(const Result<std::uint64_t>& read);
  /// What any read ended with. Damage that one meets [AIOS-0410, 0421] does not heal by itself: it
  /// stays until the process ends, with one line. Any thread.
  void met(const Error& error);
  /// An audit log is written again from the store [AIOS-0529]: a line, and the counter.
  void rebuilt(const Error& error);
  const std::atomic<bool>& damaged() const { return damaged_; }
  /// Why the audit log takes up nothing; empty: it does. Where saw() is called.
  const std::string& not_signing() const { return not_signing_; }
  /// Damaged, and not for the audit log alone: the tables may be whole where that is not [05xx].
  bool tables_damaged() const {
    return met_ || unwritable_ ||
           (unreadable_ && not_signing_.find("[AIOS-05") == std::string::npos);
  }

 private:
  void publish();
  void look_at_audit(const Result<std::uint64_t>& folded);
  void look_at_folding(const store::StoreStats& stats);

  const store::Store& store_;
  const observe::Log& log_;
  observe::Counter& rebuilt_;
  bool read_only_ = false;
  bool not_folding_ = false;
  bool unreadable_ = false;
  bool unwritable_ = false;
  std::string not_signing_;   ///< why; empty: it signs
  std::string audit_reason_;  ///< that without its numbers, as it was told
  std::atomic<bool> met_{false};
  std::atomic<bool> damaged_{false};
};

}  // namespace aios::app
