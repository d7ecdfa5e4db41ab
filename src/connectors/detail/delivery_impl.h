// SPDX-License-Identifier: Apache-2.0
#pragma once
// connectors/detail/delivery_impl: what delivery.cc (asking), delivery_take.cc (taking up) and
// delivery_send.cc (sending) share.

#include "connectors/delivery.h"
#include "connectors/detail/delivery_record.h"
#include "connectors/detail/gate.h"
#include "connectors/detail/receiver.h"
#include "govern/audit.h"
#include "runtime/task_group.h"

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace aios::connectors {

namespace detail {

/// Until a store that has no room is asked again.
inline constexpr Duration store_pause = std::chrono::seconds(1);
inline Context system_of(const TenantId& tenant) { return system_context(tenant, "delivery"); }

/// Deliveries of one run to one receiver: the first goes alone, the others behind it.
struct Lane {
  std::map<std::string, Time> waiting;  ///< by id, which is the order: not before
  bool busy = false;
  std::optional<Time> due;  ///< as Place::due has it
};

/// What waits for one receiver of one tenant. Only `gate` and `pending` are for any thread.
struct Place {
  Place() : gate(Limits{.concurrency = 32, .breaker = {}}) {}
  Gate gate;
  std::atomic<std::uint64_t> pending = 0;  ///< known and not ended
  std::map<std::string, Lane> lanes;       ///< by run
  std::set<std::pair<Time, std::string>> due;
  std::uint32_t active = 0;
  Time not_before;  ///< the breaker is open until then
};

/// Who is sent to, of which tenant.
using PlaceName = std::pair<TenantId, std::string>;

struct Waiting {
  PlaceName place;
  std::string run, id;
  Time not_before;
};

/// What becomes of a delivery after a try.
struct Tried {
  bool ended = true;
  Time next{};
};

}  // namespace detail

struct Deliveries::Impl {
  explicit Impl(DeliveryServices given) : services(std::move(given)) {}

  std::shared_ptr<const detail::Receivers> of(const TenantId& tenant) const;
  std::shared_ptr<const detail::Receiver> receiver(const TenantId& tenant,
                                                   std::string_view name) const;
  std::shared_ptr<detail::Place> place(const detail::PlaceName& name);
  void enqueue(detail::Waiting waiting);
  void count(std::string_view outcome, std::uint64_t times = 1) const;
  Result<std::string> key_of(const TenantId& tenant, const detail::Receiver& receiver) const;

  Time not_before(const detail::PlaceName& name, Time next) const;
  void heed_clock();
  struct Taking;
  detail::Delivery delivery_for(const Taking& taking, const std::string& receiver) const;
  void fill(Taking* taking);
  Task<Result<void>> pass_over(Context ctx, Taking* taking);
  void go_on(Taking* taking);

  Task<Result<void>> load(Context ctx);
  Task<Result<void>> load_tenant(Context ctx);
  void take_in();
  void refresh(detail::Place& place, const std::string& run);
  void begin(const Context& ctx, const detail::PlaceName& name, detail::Place* place);
  Task<void> go(Context ctx, detail::PlaceName name, std::shared_ptr<detail::Place> place,
                std::string run, std::string id);
  Task<detail::Tried> attempt(Context ctx, detail::PlaceName name,
                              std::shared_ptr<detail::Place> place, std::string id);
  struct Try;
  std::optional<Error> admit(const Context& ctx, Try* one, govern::LeafFacts* leaf) const;
  static detail::Tried later(detail::Place& at, const Error& error);
  Task<detail::Tried> post(Context ctx, std::shared_ptr<detail::Place> at, Try* one);
  Task<detail::Tried> send(Context ctx, std::shared_ptr<detail::Place> place, Try* one);
  Task<detail::Tried> settle(Context ctx, Try* one, Error error);
  Task<detail::Tried> finish(Context ctx, Try* one, std::string_view status);
  void tell_dead(const Context& ctx, const Try& one);

  const DeliveryServices services;
  mutable std::mutex mutex;  ///< of the three that follow
  std::map<TenantId, std::shared_ptr<const detail::Receivers>> tenants;
  std::map<detail::PlaceName, std::shared_ptr<detail::Place>> places;
  std::vector<detail::Waiting> inbox;

  // Of the executor that runs run().
  runtime::TaskGroup* group = nullptr;
  std::set<TenantId> loaded;
  std::uint64_t dead_untold = 0;
  std::optional<std::int64_t> wall_ns;  ///< the wall clock's lead over the steady one, as last seen
  std::optional<Instant> told_at;
};

}  // namespace aios::connectors
