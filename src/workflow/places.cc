// SPDX-License-Identifier: Apache-2.0
#include "workflow/detail/places.h"

#include <map>
#include <mutex>
#include <set>
#include <utility>

namespace aios::workflow {

struct Places::State {
  explicit State(PlacesOptions given) : options(given) {}

  /// With `mutex` held.
  bool enter(const TenantId& tenant) {
    const auto found = by_tenant.find(tenant);
    const auto of_tenant = found == by_tenant.end() ? 0 : found->second;
    if (taken >= options.all_max || of_tenant >= options.tenant_max) {
      return false;
    }
    ++taken;
    by_tenant[tenant] = of_tenant + 1;
    return true;
  }

  void leave(const TenantId& tenant) {
    bool somebody_waits = false;
    {
      const std::lock_guard lock(mutex);
      --taken;
      const auto found = by_tenant.find(tenant);
      if (--found->second == 0) {
        by_tenant.erase(found);
      }
      somebody_waits = !waiting.empty();
    }
    if (somebody_waits && on_free) {
      on_free();
    }
  }

  const PlacesOptions options;
  std::function<void()> on_free;
  std::mutex mutex;  // guards what follows
  std::uint32_t taken = 0;
  std::map<TenantId, std::uint32_t> by_tenant;
  std::set<TenantId> waiting;
};

Places::Places(PlacesOptions options) : state_(std::make_shared<State>(options)) {}

Places::Place Places::take(const TenantId& tenant) {
  const std::lock_guard lock(state_->mutex);
  if (!state_->enter(tenant)) {
    state_->waiting.insert(tenant);
    return {};
  }
  state_->waiting.erase(tenant);
  return {state_, tenant};
}

Places::Place Places::take_fresh(const TenantId& tenant) {
  const std::lock_guard lock(state_->mutex);
  if (state_->waiting.contains(tenant) || !state_->enter(tenant)) {
    return {};
  }
  return {state_, tenant};
}

bool Places::waits(const TenantId& tenant) const {
  const std::lock_guard lock(state_->mutex);
  return state_->waiting.contains(tenant);
}

std::uint32_t Places::taken() const {
  const std::lock_guard lock(state_->mutex);
  return state_->taken;
}

void Places::on_free(std::function<void()> call) { state_->on_free = std::move(call); }

Places::Place::Place(std::shared_ptr<State> state, TenantId tenant)
    : state_(std::move(state)),
      tenant_(std::move(tenant)) {}

Places::Place& Places::Place::operator=(Place&& other) noexcept {
  if (this != &other) {
    give_back();
    state_ = std::move(other.state_);
    tenant_ = std::move(other.tenant_);
  }
  return *this;
}

void Places::Place::give_back() {
  if (const auto state = std::exchange(state_, nullptr)) {
    state->leave(tenant_);
  }
}

}  // namespace aios::workflow
