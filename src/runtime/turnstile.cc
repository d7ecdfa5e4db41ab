// SPDX-License-Identifier: Apache-2.0
#include "runtime/turnstile.h"

#include "runtime/one_shot.h"

#include <fmt/format.h>

#include <map>
#include <mutex>
#include <utility>

namespace aios::runtime {

struct Turnstile::State {
  explicit State(const Options& given) : options(given) {}

  const Options options;
  std::mutex mutex;
  std::uint32_t taken = 0;
  std::uint64_t next = 0;
  std::map<std::uint64_t, OneShot<void>> waiting;  ///< oldest first
};

namespace {

using State = Turnstile::State;

/// A place that is given back goes straight to the first who still waits: nobody who comes
/// meanwhile can be faster. One whose time has just ended refuses it and takes itself out.
void leave(State* state) {
  const std::lock_guard lock(state->mutex);
  while (!state->waiting.empty()) {
    const auto first = state->waiting.extract(state->waiting.begin());
    if (first.mapped().set(Result<void>())) {
      return;
    }
  }
  AIOS_ASSERT(state->taken > 0);
  --state->taken;
}

Task<Result<Turnstile::Pass>> enter_at(std::shared_ptr<State> state, Context ctx) {
  OneShot<void> turn;
  std::uint64_t number = 0;
  {
    const std::lock_guard lock(state->mutex);
    if (state->taken < state->options.places) {
      ++state->taken;
      co_return Turnstile::Pass(std::move(state));
    }
    if (state->waiting.size() >= state->options.waiting_max) {
      co_return Error(Code::resource_exhausted,
                      fmt::format("{} already wait for one of {} places",
                                  state->options.waiting_max, state->options.places),
                      Retry::same_call);
    }
    number = state->next++;
    state->waiting.emplace(number, turn);
  }
  auto waited = co_await turn.wait(std::move(ctx));
  if (!waited.ok()) {
    const std::lock_guard lock(state->mutex);
    state->waiting.erase(number);
    co_return std::move(waited).error();
  }
  co_return Turnstile::Pass(std::move(state));
}

}  // namespace

Turnstile::Turnstile(const Options& options) : state_(std::make_shared<State>(options)) {
  AIOS_ASSERT(options.places > 0);
}

Turnstile::Pass& Turnstile::Pass::operator=(Pass&& other) noexcept {
  if (this != &other) {
    give_back();
    state_ = std::move(other.state_);
  }
  return *this;
}

void Turnstile::Pass::give_back() {
  if (const auto state = std::exchange(state_, nullptr)) {
    leave(state.get());
  }
}

Task<Result<Turnstile::Pass>> Turnstile::enter(Context ctx) const {
  return enter_at(state_, std::move(ctx));
}

std::uint32_t Turnstile::taken() const {
  const std::lock_guard lock(state_->mutex);
  return state_->taken;
}

bool Turnstile::idle() const {
  const std::lock_guard lock(state_->mutex);
  return state_->taken == 0 && state_->waiting.empty();
}

std::size_t Turnstile::waiting() const {
  const std::lock_guard lock(state_->mutex);
  return state_->waiting.size();
}

}  // namespace aios::runtime
