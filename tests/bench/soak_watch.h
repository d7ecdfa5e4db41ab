// SPDX-License-Identifier: Apache-2.0
#pragma once
// tests/bench/soak_watch: what a server has while it is under load, every few seconds, and what its
// files take, by kind.

#include "flat.h"

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace aios::bench {

struct Watched {
  std::vector<Sample> resident_mb;
  std::vector<Sample> anonymous_mb;
  std::vector<Sample> descriptors;
  std::vector<Sample> threads;
  std::vector<Sample> wal_mb;                 ///< the logs of SQLite's files together
  std::map<std::string, double> wal_mb_most;  ///< of each
  std::vector<Sample> journal_mb;             ///< the journal, without its log
};

/// Looks from a thread of its own. Threading: all from one, but for that.
class Watch {
 public:
  /// @param seconds  between two looks
  Watch(pid_t pid, std::string data, double seconds);
  ~Watch();
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
  double now() const;  ///< seconds since it began
  /// Looks only while it is true: between the parts of a soak there are no connections.
  void under_load(bool whether) { loaded_ = whether; }
  Watched stop();

 private:
  void live();
  void look();

  pid_t pid_;
  std::string data_;
  double pause_seconds_;
  std::chrono::steady_clock::time_point begin_;
  Watched watched_;
  std::atomic<bool> loaded_ = false;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

/// Bytes as allocated, by kind: journal, tables, keystore, wal (the logs of those three), audit,
/// blobs, rest.
std::map<std::string, double> bytes_by_kind(const std::string& data);

}  // namespace aios::bench
