// SPDX-License-Identifier: Apache-2.0
#pragma once
// connectors/connectors: business systems behind manifests (connectors/<name>/connector.yaml of a
// bundle). One call is one attempt: retries are the caller's, because they must survive a crash.
// prepare() asks the guard and gives the Permit; perform() takes it.
// Threading: any shard, on which a coroutine resumes; state per connector (breaker, concurrency) is
// shared and locked briefly. Lifetime: what the constructor is given outlives it, and it outlives
// every call that is awaited; calls under way keep a connector that a reload took away.
// Nothing here is durable: whoever calls commits Prepared::intent before perform(), and the leaves
// of refusals and outcomes with what follows from them.

#include "connectors/connector.h"
#include "connectors/http_call.h"
#include "core/staged.h"
#include "govern/refusal.h"
#include "observe/metrics.h"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace aios::connectors {

/// The value of a secret by name, asked anew for each call; not_found names where it was looked
/// for. Never logged, never stored.
using SecretSource =
    std::function<Result<std::string>(const TenantId& tenant, std::string_view name)>;

struct ConnectorStatus {
  std::string name, kind, region;
  std::string breaker;  ///< "closed", "open", "half_open"
  std::vector<std::string> operations;
};

class Connectors {
 public:
  Connectors(const govern::Guard& guard, net::Client& client, SecretSource secrets,
             observe::Metrics& metrics, runtime::Clock& clock);
  ~Connectors();
  /// Replaces the tenant's connectors; calls under way keep the old ones. All errors of all files
  /// at once, each with file, line and column; then the old ones stay.
  /// @param params  the bundle's parameters, for `${params.<name>}` in manifests.
  std::vector<Error> load(const TenantId& tenant, const std::vector<ManifestFile>& files,
                          const Json& params);
  /// load() in two steps: all that can fail, then the replacement.
  /// @param egress  where `call: http` may go: a connector each, named like its origin
  ///                (connectors/http_call.h).
  Staged stage(const TenantId& tenant, const std::vector<ManifestFile>& files, const Json& params,
               const std::vector<Egress>& egress = {});
  /// The same checks without effect.
  static std::vector<Error> check(const std::vector<ManifestFile>& files, const Json& params);
  /// not_found [AIOS-0901], naming the nearest right name.
  Result<OperationInfo> describe(const TenantId& tenant, std::string_view connector,
                                 std::string_view operation) const;
  /// What the run keeps of a result that a person gives; null: nothing. data_loss [AIOS-0905] where
  /// the result lacks it; not_found as of describe().
  Result<Json> recall(const TenantId& tenant, const OperationCall& call, const Json& result) const;
  std::vector<ConnectorStatus> list(const TenantId& tenant) const;
  /// Called when a connector answers again after its breaker was open; on the thread of the call
  /// that found out. Must be quick. Null: nobody.
  using Recovered = std::function<void(const TenantId& tenant, const std::string& connector)>;
  void on_recovered(Recovered recovered);
  /// One unavailable [AIOS-0906] for each secret that a connector of the tenant names and that is
  /// not there now: calls wait until it is.
  std::vector<Error> missing_secrets(const TenantId& tenant) const;

  /// Validates the arguments (invalid_argument [AIOS-0902]), asks the guard at connector_egress
  /// (policy_denied). Obligations `redact` (texts, names of members, numbers; what is still found
  /// in the request refuses) and `project` (`fields`: names of arguments to keep) are carried out
  /// by perform(); any other refuses.
  /// The refusal has a leaf when the guard was asked.
  Task<govern::Refusable<Prepared>> prepare(Context ctx, OperationCall call);
  /// One attempt at what was admitted, within ctx and the operation's timeout. Performed::blocked
  /// while the breaker is open, no place comes free or a secret is not there, and when the tenant's
  /// connector has another region or address by now [AIOS-0910]: prepare it again. When ctx ends
  /// after something was sent, the outcome of what acts is unknown.
  Task<Performed> perform(Context ctx, Prepared prepared);
  /// Asks whether the call happened; changes nothing outside. @param prepared  for Purpose::lookup
  Task<LookedUp> lookup(Context ctx, Prepared prepared);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace aios::connectors
