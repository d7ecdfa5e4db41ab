// SPDX-License-Identifier: Apache-2.0
#pragma once
// govern/detail/kept_checkpoints: what an auditor kept, held against a log that is being read.

#include "govern/audit_verify.h"
#include "govern/tlog.h"
#include "govern/tlog_proof.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace aios::govern::detail {

class KeptHeads {
 public:
  /// Opens all. @return data_loss [AIOS-0521] for one that the key has not signed;
  /// failed_precondition [AIOS-0523] for one of another log or longer than `head`, and for two that
  /// contradict each other. What they prove of the log stands in `fault` then.
  static Result<KeptHeads> open(const std::vector<KeptCheckpoint>& kept, const VerifierKey& key,
                                const Checkpoint& head, LogFault& fault);

  /// To be called after each leaf with the size then: compares the root where one was kept.
  void look(std::uint64_t size, const std::function<Digest()>& root);
  /// The first that the leaves do not lead to. [AIOS-0523]
  std::optional<Error> fork() const;
  /// ": ..." naming the leaves between the last one that fits and the first that does not; empty
  /// when nothing kept says it.
  std::string where_it_parts() const;
  /// A proof each, checked.
  Result<std::vector<Continued>> prove(const Checkpoint& head, const ReadTile& read) const;

 private:
  struct Head {
    std::string name;
    Checkpoint checkpoint;
    bool fits = true;
    Digest found{};
  };
  std::vector<Head> heads_;  // by size
  std::size_t next_ = 0;     // the first that was not compared yet
};

}  // namespace aios::govern::detail
