// SPDX-License-Identifier: Apache-2.0
#pragma once
// tests/bench/program: the real server as a process of its own, and what the kernel says of it.
// What fails ends this process with 1 and a text. Threading: start and stop from one; the rest
// from any.

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace aios::bench {

struct ProgramOptions {
  std::string folder{};                  ///< made anew, and removed with the program
  std::vector<std::string> arguments{};  ///< of `aios serve`, besides data, listener and ready file
  std::vector<std::string> variables{};  ///< NAME=VALUE, besides this process's
};

/// A server on a directory of its own, on 127.0.0.1, any port. The program is the one this was
/// built with, or what AIOS_BINARY names.
class Program {
 public:
  explicit Program(const ProgramOptions& options);  ///< returns once it is ready
  ~Program();                                       ///< as stop()
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  double ready_ms() const { return ready_ms_; }
  std::uint16_t port() const { return port_; }
  pid_t pid() const { return pid_; }
  std::string data() const { return folder_ + "/data"; }
  std::string key() const;  ///< the first one, with every right

  double cpu_seconds() const;
  /// In order, by a signal; any other end than a good one ends the bench.
  void stop();

 private:
  void wait_ready();

  std::string folder_;
  pid_t pid_ = 0;
  std::uint16_t port_ = 0;
  double ready_ms_ = 0;
};

std::string program_path();
/// A whole file; empty where it cannot be read.
std::string text_of(const std::string& path);
/// A member of /proc/PID/smaps_rollup, as Rss, Pss or Anonymous, in MB of 2^20 bytes.
double memory_mb(pid_t pid, std::string_view name);
double descriptors(pid_t pid);  ///< open ones
double threads(pid_t pid);

}  // namespace aios::bench
