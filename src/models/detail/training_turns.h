// SPDX-License-Identifier: Apache-2.0
#pragma once
// models/detail/training_turns: one training at a time on the whole server, and tenants in turn: of
// each one training runs or waits, so whoever has just had a turn stands behind all who wait, and
// nobody waits for more than one training of each other tenant. Threading: any.

#include "core/context.h"
#include "core/result.h"
#include "runtime/one_shot.h"
#include "runtime/task.h"

#include <deque>
#include <memory>
#include <mutex>
#include <optional>

namespace aios::models {

class TrainingTurns;

/// Ends the training's turn, however it ends; on any thread.
class TrainingPass {
 public:
  explicit TrainingPass(std::shared_ptr<TrainingTurns> turns) : turns_(std::move(turns)) {}
  ~TrainingPass();
  TrainingPass(const TrainingPass&) = delete;
  TrainingPass& operator=(const TrainingPass&) = delete;

 private:
  std::shared_ptr<TrainingTurns> turns_;
};

class TrainingTurns {
 public:
  using Pass = std::shared_ptr<TrainingPass>;
  /// A turn of ctx.tenant's, at once or after those who came before.
  /// @return resource_exhausted [AIOS-0709] (Retry::same_call) while another of the tenant runs or
  ///         waits; cancelled or deadline_exceeded when ctx ends first.
  static Task<Result<Pass>> take(std::shared_ptr<TrainingTurns> turns, Context ctx);

 private:
  friend class TrainingPass;
  struct Waiting {
    TenantId tenant;
    runtime::OneShot<void> turn;
  };
  void pass_on();
  void leave(const TenantId& tenant);

  std::mutex mutex_;
  std::optional<TenantId> running_;
  std::deque<Waiting> waiting_;
};

}  // namespace aios::models
