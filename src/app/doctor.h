// SPDX-License-Identifier: Apache-2.0
#pragma once
// app/doctor: what an operator should know of a server before it hurts: the disk and when it will
// be full, keys, clock, limits, listener, and what waits for a person. Judgement alone: what is
// found is gathered elsewhere (detail/symptoms.cc), so that each judgement can be tried.

#include "app/growth.h"
#include "core/json.h"
#include "core/time.h"
#include "govern/audit_patrol.h"

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace aios::app {

enum class Health : std::uint8_t { good, watch, bad };

struct Finding {
  std::string part;  ///< "disk", "clock", ...
  Health health = Health::good;
  std::string found;
  std::string next;  ///< what to do; empty when it is good
};

struct Symptoms {
  Time now;
  std::uint64_t disk_size = 0, disk_free = 0;  ///< bytes, of the file system of the data
  std::uint64_t data_bytes = 0;
  std::vector<DiskSample> growth;
  bool read_only = false, damaged = false;
  std::string fold_error;
  std::string not_signing;  ///< why the audit log takes up nothing; empty: it does
  govern::AuditPatrol::Seen patrol;
  std::uint64_t delta_bytes = 0, delta_bytes_max = 0;
  std::optional<bool> clock_synchronised;  ///< nothing: the system does not say
  Time newest_commit;                      ///< by the clock of then; 0: there is none
  std::uint64_t ahead = 0;  ///< runs and deliveries that wait since a time that is yet to come
  Time ahead_most;          ///< the latest of these times
  std::size_t admins = 0;   ///< valid keys of the first tenant with that role
  bool first_key_lies_there = false;
  std::vector<std::string> readable_by_others;  ///< files of keys and secrets
  std::uint64_t descriptors = 0;
  bool listening = false, loopback = true, tls = false;
  std::string listener;  ///< "127.0.0.1:8787"
  std::optional<Time> certificate_until;
  std::vector<std::string> missing_secrets;
  std::string bundle_failure;
  /// What serves an alias and cannot be read: "alias 'triage': ...".
  std::vector<std::string> models_unread;
  std::vector<std::string> source_troubles;  ///< folders that cannot be watched
  /// What was turned away in the last day, and dead letters by source: "source 'shop': 12 with a
  /// wrong signature".
  std::vector<std::string> turned_away;
  std::set<std::string> turned_away_next;  ///< what to do of each kind of them
  std::uint64_t incidents = 0, reviews_overdue = 0, dead_letters = 0, unsigned_leaves = 0;
  std::uint64_t faulted = 0;  ///< runs, in the last day
  std::uint64_t dead_deliveries = 0;
};

/// One finding a part, in the order of the parts above.
std::vector<Finding> examine(const Symptoms& symptoms);

/// {health: the worst, findings: [{part, health, found, next}]}
Json to_json(const std::vector<Finding>& findings);

}  // namespace aios::app
