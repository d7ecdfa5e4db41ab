// SPDX-License-Identifier: Apache-2.0
#pragma once
// govern/audit: what an audit leaf says, the tenant's transparency log (RFC 6962 hashes, C2SP
// tlog-tiles files, C2SP signed-note checkpoints). A leaf is
// canonical JSON (RFC 8785). It holds commitments (salted hashes), never the payload. The verifier
// stands in govern/audit_verify.h.

#include "core/context.h"
#include "core/json.h"
#include "core/result.h"
#include "govern/guard.h"
#include "govern/leaf_kind.h"
#include "runtime/shards.h"
#include "runtime/task.h"
#include "store/store.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace aios::govern {

/// One admitted request or one phase of an effect, with its decisions.
struct LeafFacts {
  explicit LeafFacts(LeafKind about) : kind(about) {}
  LeafKind kind;
  std::string stream;   ///< "run_..." and so on
  std::string step;     ///< reference of the task in its document, "" when none
  std::string outcome;  ///< "accepted", "done", "failed", "refused", "unknown", ...
  /// Small, never personal: model and version, connector and operation, verdicts.
  JsonObject facts;
  std::vector<Decision> decisions;
  /// Committed to as "payload", and kept by the caller: canonical JSON, see content_of().
  std::string payload;
  /// Committed to by name ("request", "answer"), and given back in AuditLeaf::contents (up to 4 KiB
  /// each) for the caller to keep sealed.
  std::map<std::string, std::string> contents;
};

/// Makes the leaf's final bytes (at most 65,535); give them to Transition::leaves. Members: v (2),
/// time, tenant, principal{id,kind}, trace, kind, stream, step, outcome, facts, decisions,
/// commitments{payload, ...} (hex, see govern/opening.h); empty ones are left out. Facts that
/// canonical JSON cannot hold or that are longer than 16 KiB are replaced by {"omitted_bytes": n}
/// and committed to as "facts"; likewise the decisions.
/// @return with the salt that opens it, empty when it commits to nothing, and as contents the
///         decisions' inputs and LeafFacts::contents. Who does not keep the salt has a leaf that
///         nobody can open.
store::AuditLeaf make_leaf(const Context& ctx, Time now, const LeafFacts& facts);

/// Turns committed leaves into tiles, entries and signed checkpoints under <directory>/<tenant>/.
/// One key signs all tenants' logs; a checkpoint's origin is "<origin>/<tenant>". The files of a
/// tile are immutable, and durable before a checkpoint covers them; after a crash the log continues
/// from its last checkpoint. The store remembers size and root of the last one (sealed): a log
/// whose files are missing or older than that is written again from the store, told of, and says so
/// in a leaf "audit.rebuilt" of its own. That files went while it was open is noticed by the next
/// fold; of old full tiles by one of the folds that follow, as each looks at some.
/// Threading: fold() on any executor (one at a time, the others wait in turn); the others from any
/// thread.
class AuditLog {
 public:
  using Tell = std::function<void(const Error&)>;
  /// @param key_path  Ed25519 signing key in the form "PRIVATE+KEY+<name>+<hash>+<base64>"; made
  ///        with mode 0600 when absent. Its name is the origin: a log keeps the one it began with.
  /// @param new_origin  name of a key that is made: no space, no '+', and no other log's.
  /// @param pool  where files are written and synced; null: on the thread that calls fold().
  /// @param told  called by fold() with [AIOS-0529] once for each log that it writes again.
  /// @return permission_denied [AIOS-0520] for a key that others may read, failed_precondition
  ///         [AIOS-0520] for what is no key, [AIOS-0528] when the key is gone and signed logs are
  ///         there; data_loss [AIOS-0521, 0522] when a log does not lead to its own checkpoint.
  static Result<std::unique_ptr<AuditLog>> open(const std::string& directory,
                                                const std::string& key_path,
                                                const std::string& new_origin,
                                                runtime::BlockingPool* pool = nullptr,
                                                Tell told = nullptr);
  virtual ~AuditLog() = default;
  /// Reads new leaves of all tenants from the store, hashes, writes tiles, then signs one
  /// checkpoint a tenant. The store must outlive the task.
  /// @return leaves folded; data_loss [AIOS-0524, 0532] when the store has fewer or other leaves
  ///         than were signed (an old backup was restored, a leaf was edited): nothing is signed
  ///         for that tenant then. It does not hold up the others; the first error is returned.
  ///         resource_exhausted (Retry::same_call) when a thousand folds wait.
  virtual Task<Result<std::uint64_t>> fold(store::Store& store) = 0;
  /// C2SP vkey: "<name>+<hash>+<base64 key>", to be kept by the auditor.
  virtual std::string verifier_key() const = 0;
  /// Leaves under the last checkpoint in the folder.
  virtual std::uint64_t size(const TenantId& tenant) const = 0;
  /// The last checkpoint itself, a signed note, as the folder has it. @return not_found when the
  /// tenant's log has none yet.
  virtual Result<std::string> checkpoint(const TenantId& tenant) const = 0;
};

}  // namespace aios::govern
