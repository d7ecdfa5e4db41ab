// SPDX-License-Identifier: Apache-2.0
#pragma once
// govern/audit_verify: the verifier of a log's files. It needs the files and the verifier key: no
// server, no store, no other key. Pure reads; any thread.

#include "core/crypto.h"
#include "core/result.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aios::govern {

/// A signed checkpoint that was kept outside the folder.
struct KeptCheckpoint {
  std::string name;  ///< how messages call it, e.g. its file
  std::string note;
};

/// What is wrong first, for programs; the error says it to people.
struct LogFault {
  enum class Kind : std::uint8_t {
    none,
    checkpoint,  ///< missing, malformed, or not signed by the key
    file,        ///< `file` is missing, cut, or not what was signed
    leaf,        ///< `leaf` in `file` is not the one that was signed
    rewritten,   ///< leaves and their hashes were rewritten together
    truncated,   ///< shorter than a kept checkpoint
    forked,      ///< as long as a kept checkpoint or longer, and another history
  };
  Kind kind = Kind::none;
  std::string file;                   ///< below the folder; empty where no file can be named
  std::optional<std::uint64_t> leaf;  ///< the first bad one, as far as it can be named
};
std::string_view name_of(LogFault::Kind kind);

/// A kept checkpoint that the log continues.
struct Continued {
  std::string name;
  std::uint64_t size = 0;
  std::string root_hex;
  /// RFC 6962 consistency proof from it to the newest checkpoint: whoever has both can check it
  /// with no other file. Empty where sizes are equal, or the older one is 0.
  std::vector<Digest> proof;
};

struct VerifyReport {
  std::uint64_t size = 0;
  std::string root_hex;
  std::uint64_t leaves_checked = 0;
  std::string origin;
  std::vector<Continued> continued;  ///< by size
};

using SeeLeaf = std::function<void(std::uint64_t index, std::string_view leaf)>;

/// Whether the part that was changed is told from the one that it disagrees with, which reads the
/// whole folder twice more.
enum class Culprit : std::uint8_t { named, unnamed };

struct LogCheck {
  std::string directory;  ///< of one tenant
  std::string verifier_key;
  std::vector<KeptCheckpoint> kept;  ///< in any order
  /// Given each leaf (index, canonical JSON) in order while the log is read: nothing seen is proven
  /// before the log is found good. Null: none.
  SeeLeaf see = nullptr;
  Culprit culprit = Culprit::named;
};

/// Checks the signature, every tile against its entries, the root against the checkpoint, and that
/// the log continues every kept checkpoint. What is wrong in the files is told before a fork.
/// @param fault  null: only the error is wanted
/// @return data_loss [AIOS-0521, 0522] naming the first bad tile or leaf; failed_precondition
///         [AIOS-0523] when the log is shorter than a kept checkpoint or not its continuation;
///         not_found when there is no checkpoint; invalid_argument [AIOS-0526] for no verifier key.
Result<VerifyReport> verify_log(LogCheck check, LogFault* fault = nullptr);

/// The same in steps, of a log that may grow meanwhile: what is checked is the checkpoint as it was
/// at the beginning.
class LogWalk {
 public:
  /// Errors: those of verify_log() that the checkpoint alone tells.
  static Result<LogWalk> open(LogCheck check);
  LogWalk(LogWalk&&) noexcept;
  LogWalk& operator=(LogWalk&&) noexcept;
  ~LogWalk();
  /// Checks the next 256 leaves with their tiles, behind the last ones the root. Not to be called
  /// again after the last step, nor after an error.
  /// @return whether there are more; the errors of verify_log()
  Result<bool> step();
  std::uint64_t size() const;     ///< leaves under the checkpoint
  std::uint64_t checked() const;  ///< of them, so far
  const LogFault& fault() const;  ///< of the step that failed

 private:
  struct Impl;
  explicit LogWalk(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace aios::govern
