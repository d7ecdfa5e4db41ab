// SPDX-License-Identifier: Apache-2.0
#pragma once
// govern/audit: what an audit leaf says, the tenant's transparency log (RFC 6962 hashes, C2SP tlog-tiles files,
// C2SP signed-note checkpoints), and the verifier that needs no server.
// A leaf is canonical JSON (RFC 8785). It holds commitments (salted hashes), never the payload.

#include "core/context.h"
#include "core/json.h"
#include "core/result.h"
#include "govern/guard.h"
#include "runtime/task.h"
#include "store/store.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace aios::govern {

/// One admitted request or one phase of an effect, with its decisions.
struct LeafFacts {
  std::string kind;     ///< "event", "model_call", "effect_intent", "effect_outcome", "review", "run", "deployment", "key", "promotion"
  std::string stream;   ///< "run_..." and so on
  std::string step;     ///< reference of the task in its document, "" when none
  std::string outcome;  ///< "accepted", "ok", "failed", "refused", "unknown", ...
  JsonObject facts;     ///< small, never personal: model and version, connector and operation, verdicts
  std::vector<Decision> decisions;
  std::string payload;  ///< committed to as sha256(salt || payload); the salt goes beside the payload, see Commitment
};

struct Commitment {
  std::string salt;    ///< 16 random bytes: keep with the payload so that an auditor can be shown what was committed to
  std::string digest;  ///< 32 bytes, in the leaf
};

/// Makes the leaf's final bytes; give them to Transition::leaves.
store::AuditLeaf make_leaf(const Context& ctx, Time now, const LeafFacts& facts, Commitment* commitment = nullptr);

/// Turns committed leaves into tiles, entries and signed checkpoints under <directory>/<tenant>/.
/// Threading: one; call fold() from one place at a time.
class AuditLog {
 public:
  /// @param key_path  Ed25519 signing key (made with mode 0600 when absent). @param origin  first line of checkpoints.
  static Result<std::unique_ptr<AuditLog>> open(const std::string& directory, const std::string& key_path,
                                                const std::string& origin);
  virtual ~AuditLog() = default;
  /// Reads new leaves of all tenants from the store, hashes, writes tiles, then signs one checkpoint a tenant.
  /// @return leaves folded.
  virtual Task<Result<std::uint64_t>> fold(store::Store& store) = 0;
  /// C2SP vkey: "<name>+<hash>+<base64 key>", to be kept by the auditor.
  virtual std::string verifier_key() const = 0;
  virtual std::uint64_t size(const TenantId& tenant) const = 0;
};

struct VerifyReport {
  std::uint64_t size = 0;
  std::string root_hex;
  std::uint64_t leaves_checked = 0;
  std::string origin;
};

/// Offline: checks signature, every tile against its entries, the root against the checkpoint; with an older
/// checkpoint text also that the log is its continuation.
/// @return data_loss naming the first bad tile or leaf; failed_precondition when the log is shorter than the older
///         checkpoint or not its continuation.
Result<VerifyReport> verify_log(const std::string& tenant_directory, const std::string& verifier_key,
                                const std::string& older_checkpoint);

}  // namespace aios::govern
