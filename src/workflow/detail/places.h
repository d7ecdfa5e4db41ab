// SPDX-License-Identifier: Apache-2.0
#pragma once
// workflow/detail/places: how many runs are driven at once, in all and of one tenant. Who gets no
// place is saved and waits in the store, so a burst or a restart with many open runs costs memory
// and connections for those that are driven, not for all. One tenant never has them all, so that
// calls that hang hold up no other tenant. Threading: any.

#include "core/context.h"
#include "workflow/engine.h"

#include <cstdint>
#include <functional>
#include <memory>

namespace aios::workflow {

class Places {
 public:
  class Place;
  explicit Places(PlacesOptions options);

  /// For a run whose time has come. Without one the tenant counts as waiting.
  Place take(const TenantId& tenant);
  /// For a run that goes on after its answer: none while others of its tenant wait.
  Place take_fresh(const TenantId& tenant);
  bool waits(const TenantId& tenant) const;
  std::uint32_t taken() const;
  /// Called, on any thread, when a place is given back while a tenant waits. Set it before the
  /// first place is taken.
  void on_free(std::function<void()> call);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

/// Gives itself back.
class Places::Place {
 public:
  Place() = default;
  Place(std::shared_ptr<State> state, TenantId tenant);
  Place(Place&& other) noexcept = default;
  Place& operator=(Place&& other) noexcept;
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  ~Place() { give_back(); }
  void give_back();
  explicit operator bool() const { return state_ != nullptr; }

 private:
  std::shared_ptr<State> state_;
  TenantId tenant_;
};

}  // namespace aios::workflow
