// SPDX-License-Identifier: Apache-2.0
#pragma once
// tests/bench/served: a whole server in this process on a new data directory, and what it has
// stored once it has stopped. What fails ends the process with 1 and a text. Threading: one.

#include "core/json.h"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace aios::app {
class System;
}  // namespace aios::app

namespace aios::bench {

class Served {
 public:
  /// The folder is made anew. Plain HTTP on 127.0.0.1, any port; only errors are logged.
  explicit Served(std::string folder);
  ~Served();
  Served(const Served&) = delete;
  Served& operator=(const Served&) = delete;

  /// @param files  of the bundle, by path
  void deploy(const std::map<std::string, std::string>& files);
  std::uint16_t port() const;
  const std::string& key() const { return key_; }  ///< with every right
  void stop();

 private:
  std::string folder_;
  std::string key_;
  std::unique_ptr<app::System> system_;
};

/// What a data directory holds that nobody has open.
struct Stored {
  double runs_completed = 0;
  double runs = 0;
  double events_accepted = 0;
  double events = 0;
  double leaves = 0;
};
Stored count_stored(const std::string& folder);

/// How often this process had a file synced, SQLite included (fsync and fdatasync are counted on
/// their way to the kernel).
struct Syncs {
  double all = 0;
  double journal = 0;  ///< of the journal's log: one for each group commit
};
Syncs syncs();

}  // namespace aios::bench
