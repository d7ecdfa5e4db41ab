// SPDX-License-Identifier: Apache-2.0
#include "models/detail/training_turns.h"

#include <algorithm>
#include <utility>

namespace aios::models {
namespace {

Error busy() {
  return Error(Code::resource_exhausted,
               "another training of this tenant runs or waits for its turn, wanted one at a time",
               Retry::same_call)
      .page(709);
}

}  // namespace

TrainingPass::~TrainingPass() { turns_->pass_on(); }

Task<Result<TrainingTurns::Pass>> TrainingTurns::take(std::shared_ptr<TrainingTurns> turns,
                                                      Context ctx) {
  const TenantId tenant = ctx.tenant;
  runtime::OneShot<void> turn;
  {
    const std::lock_guard lock(turns->mutex_);
    const bool waits = std::any_of(turns->waiting_.begin(), turns->waiting_.end(),
                                   [&](const Waiting& one) { return one.tenant == tenant; });
    if (waits || turns->running_ == tenant) {
      co_return busy();
    }
    if (!turns->running_) {
      turns->running_ = tenant;
      co_return std::make_shared<TrainingPass>(turns);
    }
    turns->waiting_.push_back({tenant, turn});
  }
  auto came = co_await turn.wait(std::move(ctx));
  if (!came.ok()) {
    turns->leave(tenant);
    co_return std::move(came).error().with("waiting for the trainings before this one");
  }
  co_return std::make_shared<TrainingPass>(turns);
}

/// Who gave up waiting takes no turn.
void TrainingTurns::pass_on() {
  const std::lock_guard lock(mutex_);
  running_.reset();
  while (!waiting_.empty() && !running_) {
    const Waiting next = std::move(waiting_.front());
    waiting_.pop_front();
    if (next.turn.set(Result<void>())) {
      running_ = next.tenant;
    }
  }
}

void TrainingTurns::leave(const TenantId& tenant) {
  const std::lock_guard lock(mutex_);
  std::erase_if(waiting_, [&](const Waiting& one) { return one.tenant == tenant; });
}

}  // namespace aios::models
