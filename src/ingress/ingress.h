// SPDX-License-Identifier: Apache-2.0
#pragma once
// ingress/ingress: how an event becomes durable. Admission by the guard, deduplication, the start
// of a run and the inbox entry are one commit, made before the sender gets its 2xx. Sources
// (sources/*.cc) turn what arrives into an Event and call accept().
// Threading: from the thread of any executor; what is awaited resumes there. Lifetime: what
// IngressServices names outlives it, and it outlives every call that is awaited.

#include "core/context.h"
#include "core/result.h"
#include "govern/guard.h"
#include "govern/identity.h"
#include "ingress/event.h"
#include "net/http.h"
#include "observe/log.h"
#include "observe/metrics.h"
#include "runtime/executor.h"
#include "runtime/task.h"
#include "store/store.h"
#include "workflow/engine.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace aios::ingress {

struct Accepted {
  std::string id;         ///< "evt_...": the inbox entry
  std::string status;     ///< "accepted" or "dead_letter"
  std::string run;        ///< empty for dead letters
  std::string reason;     ///< why it is a dead letter
  bool repeated = false;  ///< same id and body as before: this is the first answer again
  Json to_json() const;
};

struct IngressServices {
  store::Store* store = nullptr;
  const govern::Guard* guard = nullptr;
  workflow::Engine* engine = nullptr;
  observe::Metrics* metrics = nullptr;
  const observe::Log* log = nullptr;  ///< dead letters: one line in ten seconds; null: none
  /// Why a tenant takes no events now though it will again: the sender is told to come back, and
  /// nothing is recorded. Null: never.
  std::function<std::optional<Error>(const TenantId& tenant)> held = nullptr;
};

class Ingress {
 public:
  explicit Ingress(IngressServices services);
  ~Ingress();
  /// Durable when it returns. Starts the first workflow (by namespace and name) that the type
  /// triggers; without one, or when it refuses the input, the event is a dead letter.
  /// @param bytes  size of the event as it arrived, for policy.
  /// @return policy_denied (event_admit; an audit leaf says so, floods share one); already_exists
  ///         [AIOS-1203] (same source and id, other content); IngressServices::held's error;
  ///         unavailable [AIOS-1015] while the engine stops and resource_exhausted when the store
  ///         has no room, both Retry::same_call; the store's own. After deadline_exceeded or
  ///         cancelled it may have been taken: sent again it gets the first answer (`repeated`).
  Task<Result<Accepted>> accept(Context ctx, Event event, std::size_t bytes);
  /// Newest first. @param status  "accepted", "dead_letter" or empty for both.
  /// @param after  exclusive: only older ones. @param limit  1 to 1,000.
  Task<Result<std::vector<store::StreamRow>>> list(Context ctx, std::string status,
                                                   std::string after, std::uint32_t limit);
  /// {id, event, status, run, reason, received, opening}; of an erased one {id, status, erased}.
  /// not_found: no such event.
  Task<Result<Json>> get(Context ctx, std::string id);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// What a source needs to mount itself.
struct SourceServices {
  Ingress* ingress = nullptr;
  net::Router* router = nullptr;
  /// Gives the context of an authenticated sender, or the problem to answer with.
  std::function<Result<Context>(const Context& ctx, const net::Request& request)> authenticate;
};
struct SourceEntry {
  std::string name;
  std::string summary;
  void (*mount)(const SourceServices& services) = nullptr;
};
class SourceRegistry {
 public:
  void add(SourceEntry entry) { entries_.push_back(std::move(entry)); }
  const std::vector<SourceEntry>& entries() const { return entries_; }

 private:
  std::vector<SourceEntry> entries_;
};
void register_all_sources(SourceRegistry& registry);

}  // namespace aios::ingress
