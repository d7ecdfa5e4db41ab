// SPDX-License-Identifier: Apache-2.0
#pragma once
// govern/identity: API keys. "aios_" + 43 base64url characters (256 bits); only the SHA-256 is
// stored, as a stream of kind api_key whose id is "key_...". Roles: admin, operator, developer,
// reviewer, approver, ingest, auditor. Making and revoking a key writes an audit leaf in the same
// transition.
// Threading: any thread; the table of keys is read under a short lock, never held across a wait.

#include "core/context.h"
#include "core/result.h"
#include "runtime/task.h"
#include "store/store.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace aios::govern {

struct KeyInfo {
  std::string id;
  std::string name;  ///< who holds it, e.g. "first key" or a person
  TenantId tenant;
  std::vector<std::string> roles;
  Time created;
  bool revoked = false;
  std::optional<Time> expires{};   ///< opens nothing from then on; none: it does not expire
  std::uint32_t per_minute_max{};  ///< requests; 0: any number

  bool valid_at(Time now) const { return !revoked && (!expires || now < *expires); }
};

/// How long a key opens anything, and how often. Of a tenant's administrators one key at least has
/// no end: see Identity::revoke().
struct KeyTerms {
  std::optional<Time> expires;
  std::uint32_t per_minute_max = 0;
};
inline constexpr std::uint32_t per_minute_most = 1'000'000;

/// What a request wants to do; which roles may is one table in roles.cc.
enum class Action : std::uint8_t {
  read_runs,
  start_runs,
  settle_runs,
  send_events,
  answer_reviews,
  read_reviews,
  deploy,
  train_models,
  promote_models,
  read_models,
  manage_keys,
  manage_tenants,
  read_audit,
  read_metrics,
  operate,
  read_payloads,
};

class Identity {
 public:
  /// Both must outlive it.
  explicit Identity(store::Store& store, runtime::Clock& clock);
  ~Identity();
  /// Loads all keys of all tenants into memory; call once at start.
  Task<Result<void>> load(Context ctx);
  struct NewKey {
    KeyInfo info;
    std::string secret;  ///< shown once
  };
  /// In ctx.tenant. invalid_argument [AIOS-0512] for an empty or long name, an unknown role or
  /// none.
  Task<Result<NewKey>> create(Context ctx, std::string name, std::vector<std::string> roles);
  /// The same on terms. invalid_argument [AIOS-0565] for an end that is past or more than ten years
  /// away, or a rate above per_minute_most.
  Task<Result<NewKey>> create_on(Context ctx, std::string name, std::vector<std::string> roles,
                                 KeyTerms terms);
  /// The same with a secret of new_secret() that the caller has put away before.
  Task<Result<NewKey>> create_with(Context ctx, std::string name, std::vector<std::string> roles,
                                   std::string secret);
  static std::string new_secret();
  /// In ctx.tenant; again: nothing happens. not_found [AIOS-0513]; failed_precondition [AIOS-0515]
  /// for the tenant's last valid key of an admin; one that expires is no such key, for nobody could
  /// enter when it has.
  Task<Result<void>> revoke(Context ctx, std::string key_id);
  std::vector<KeyInfo> list(const TenantId& tenant) const;  ///< oldest first, revoked ones too
  std::size_t count() const;                                ///< of all tenants, not revoked
  using Caller = std::pair<TenantId, std::shared_ptr<const Principal>>;
  /// unauthenticated [AIOS-0510] when unknown or revoked; the reason is the same for both;
  /// [AIOS-0563] when it has expired, with the time.
  Result<Caller> authenticate(std::string_view secret) const;
  /// The same for a request that begins, once: it counts against the key's rate. A sixth of what a
  /// minute allows may come at once, the rest evenly.
  /// @return rate_limited [AIOS-0564] (Retry::same_call, retry_after()) beyond it.
  Result<Caller> admit(std::string_view secret) const;
  /// Asked with the whole caller, for roles alone do not decide: what is about the installation
  /// (operate, read_metrics, manage_tenants) is for the first tenant. A principal of kind system
  /// (the server itself, the command line on an open data directory) has every role.
  /// @return permission_denied: [AIOS-0518] of another tenant than the first, [AIOS-0511] naming
  ///         the action and the roles that may.
  static Result<void> allow(const Context& caller, Action action);
  /// All that a key may have.
  static std::vector<std::string> role_names();
  /// Those whose keys may do it.
  static std::vector<std::string> roles_that_may(Action action);

 private:
  struct Impl;
  Task<Result<NewKey>> make(Context ctx, std::string name, std::vector<std::string> roles,
                            std::string secret, KeyTerms terms);
  std::unique_ptr<Impl> impl_;
};

}  // namespace aios::govern
