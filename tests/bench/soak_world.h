// SPDX-License-Identifier: Apache-2.0
#pragma once
// tests/bench/soak_world: what a soak sends to a server, and what stands around it: orders as
// signed webhooks of two tenants, the bundle that takes them, the system outside that they are
// booked in, and the person who answers and looks. What fails ends the process with 1 and a
// text.

#include "load.h"
#include "program.h"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace aios::bench {

/// A wall clock and a steady one that the server has, ahead of ours by what it is told
/// (tests/faults).
class Days {
 public:
  explicit Days(const std::string& file);
  ~Days();
  Days(const Days&) = delete;
  Days& operator=(const Days&) = delete;
  static bool possible();  ///< whether the library is here that does it
  std::vector<std::string> variables() const;
  std::int64_t ahead_seconds() const { return ahead_seconds_; }
  /// The process is paused for a day, by all it can see.
  void pass_one(pid_t pid);

 private:
  std::string path_;
  int fd_ = -1;
  std::int64_t ahead_seconds_ = 0;
};

struct Tenant {
  std::string name;
  std::string key;
};

/// What part of the orders does what: by their numbers, the same in each soak.
struct Mix {
  static bool effect(std::uint64_t number) { return number % 2 == 0; }
  static bool question(std::uint64_t number) { return number % 250 == 7; }
  static bool in_turn(std::uint64_t number) { return number % 5 == 0; }
  static bool further_tenant(std::uint64_t number) { return number % 4 == 1; }
  static std::string describe();
};

/// Signed webhooks, each another order. Threading: one.
class Orders final : public Requests {
 public:
  explicit Orders(const Days* days) : days_(days) {}  ///< null: our clock
  bool next(std::string* out) override;
  std::uint64_t made() const { return number_; }
  std::uint64_t effects() const { return effects_; }

 private:
  const Days* days_;
  std::uint64_t number_ = 0;
  std::uint64_t effects_ = 0;
};

/// The system outside: takes bookings, and knows how many different ones it took.
class Outside {
 public:
  Outside();
  ~Outside();
  Outside(const Outside&) = delete;
  Outside& operator=(const Outside&) = delete;
  std::string url() const;
  std::uint64_t booked() const;    ///< different keys
  std::uint64_t requests() const;  ///< with those that came again

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Secrets and keys in place, the bundle deployed in both tenants.
std::vector<Tenant> settle_in(const Program& program, const std::string& outside_url);
/// Besides ProgramOptions::variables of the clock.
std::vector<std::string> soak_arguments();
std::vector<std::string> soak_variables();

/// GET or POST with a tenant's key; any answer but a 2xx ends the process.
std::string api(std::uint16_t port, const Tenant& tenant, const std::string& method,
                const std::string& path, const std::string& body = "");
/// Sum of a metric's samples that have this label text in their line; 0 where there is none.
double metric_in(const std::string& text, std::string_view name, std::string_view label = "");
/// Runs of all tenants that are in the tables, by status ("" all).
double runs_kept(std::uint16_t port, const std::vector<Tenant>& tenants);

/// Answers what is asked, reads a list, explains a run and scrapes the metrics, several times a
/// second, from a thread of its own.
class Person {
 public:
  Person(std::uint16_t port, std::vector<Tenant> tenants);
  ~Person();
  Person(const Person&) = delete;
  Person& operator=(const Person&) = delete;
  void stop();
  /// Nothing is asked of the server while this is held.
  std::mutex& rest() { return rest_; }
  std::uint64_t answered() const { return answered_; }
  std::uint64_t looked() const { return looked_; }

 private:
  void live();
  void look_round(const Tenant& tenant);

  std::uint16_t port_;
  std::vector<Tenant> tenants_;
  std::mutex rest_;
  std::atomic<std::uint64_t> answered_ = 0;
  std::atomic<std::uint64_t> looked_ = 0;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

}  // namespace aios::bench
