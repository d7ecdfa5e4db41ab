// SPDX-License-Identifier: Apache-2.0
#pragma once
// connectors/delivery: what leaves after a run: callbacks of tasks, and emitted events to those who
// subscribed (subscriptions/*.yaml of a bundle). A delivery is a stream of its own, there before
// its message is taken from the outbox, and is sent at least once, under an id that stays: signed
// (Standard Webhooks), in order per run and receiver, again and again until its receiver's time is
// up; then it is a dead letter that can be replayed.
// Before each try the guard is asked (connector_egress) and gives the Permit; the first intent is
// committed before anything is sent, the outcome with what came of it.
// Threading: run() and take() on one executor; the others on any. One slow or dead receiver holds
// up itself: each has its own places and its own breaker.

#include "connectors/connectors.h"
#include "core/context.h"
#include "core/staged.h"
#include "observe/log.h"
#include "observe/metrics.h"
#include "runtime/task.h"
#include "store/store.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace aios::connectors {

struct DeliveryServices {
  store::Store* store = nullptr;
  const govern::Guard* guard = nullptr;
  net::Client* client = nullptr;
  SecretSource secrets;
  observe::Metrics* metrics = nullptr;
  const observe::Log* log = nullptr;
};

/// How much of a delivery is shown.
enum class Shown : std::uint8_t {
  clear,  ///< nothing that may hold payload
  all,
};

/// What a bundle's file says, for those who ask.
struct SubscriptionInfo {
  std::string name, region, url, source, callbacks, secret;
  std::vector<std::string> types;
  std::string breaker;  ///< "closed", "open", "half_open"
  std::uint64_t pending = 0;
  Json to_json() const;
};

class Deliveries {
 public:
  /// Of one receiver; beyond it a new one is a dead letter at once, which can be replayed.
  static constexpr std::size_t pending_max = 10'000;
  static constexpr std::size_t body_bytes_max = std::size_t{512} << 10;

  explicit Deliveries(DeliveryServices services);
  ~Deliveries();

  /// Every mistake of all files, with file, line and column [AIOS-0940].
  static std::vector<Error> check(const std::vector<ManifestFile>& files, const Json& params);
  Staged stage(const TenantId& tenant, const std::vector<ManifestFile>& files, const Json& params);
  std::vector<SubscriptionInfo> subscriptions(const TenantId& tenant) const;
  /// One for each secret that is not there or cannot sign.
  std::vector<Error> missing_secrets(const TenantId& tenant) const;

  /// Whether a caller may name this address for the outcome of a task.
  /// @param secret  the name he gives; empty: the subscription's
  /// @return the subscription's name; permission_denied [AIOS-0942]: no subscription of the bundle
  ///         allows it, or with another secret.
  Result<std::string> admit_callback(const TenantId& tenant, std::string_view url,
                                     std::string_view secret) const;
  /// Whether somebody subscribed to such events.
  bool subscribed(const TenantId& tenant, std::string_view type, std::string_view source) const;
  /// Makes the deliveries of a message (topic "event" or "callback") and takes it from the outbox,
  /// in one commit or in several of about 1 MiB, the last of which takes it. Again after a crash or
  /// an error: who has a delivery of it gets no second one. What is too large to be sent, or what
  /// the store refuses for good, is a dead letter without its data. A message that nobody can read
  /// is taken, with a line in the log.
  Task<Result<void>> take(Context ctx, store::OutboxRow row);
  /// Sends what is there and what comes, until ctx is cancelled; then waits for tries under way.
  Task<void> run(Context ctx);

  /// @param query  status: pending, delivered, dead or empty; label: a subscription or empty
  Task<Result<std::vector<store::StreamRow>>> list(Context ctx, store::ListQuery query);
  /// not_found [AIOS-0943].
  Task<Result<Json>> get(Context ctx, std::string id, Shown shown);
  /// A dead one becomes pending again, with all its time.
  /// @return failed_precondition [AIOS-0944]: it is not dead; [AIOS-0947]: its data were not kept;
  ///         resource_exhausted (Retry::same_call): as many wait for its receiver as may.
  Task<Result<void>> replay(Context ctx, std::string id);
  static Json to_json(const store::StreamRow& row, Shown shown);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace aios::connectors
