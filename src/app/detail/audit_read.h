// SPDX-License-Identifier: Apache-2.0
#pragma once
// app/detail/audit_read: what the audit commands share: their options, and a log's files read and
// checked.

#include "app/commands.h"
#include "govern/audit_verify.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace aios::app {

struct AuditOptions {
  std::string directory;
  std::string key;
  std::vector<std::string> checkpoints;  // files
  std::string out;                       // file
  std::string stream;
  std::string count_by;
  std::vector<std::string> where;
  std::uint32_t limit = 50;
  std::string openings;  // file
  std::optional<std::uint64_t> leaf;
  std::string part;
  std::string content;  // file
};

/// Needs no server and no data directory: the log's files and the verifier key are enough.
Result<govern::VerifyReport> read_log(const AuditOptions& options, govern::SeeLeaf see,
                                      govern::LogFault* fault = nullptr);

/// aios audit open (audit_open.cc).
Result<void> open_leaves(const Session& session, const AuditOptions& options);

}  // namespace aios::app
