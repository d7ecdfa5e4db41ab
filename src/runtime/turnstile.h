// SPDX-License-Identifier: Apache-2.0
#pragma once
// runtime/turnstile: so many at once; the others wait in the order in which they came, at most as
// many as the bound. Who gives up (deadline, cancellation) leaves the queue and counts no longer.
// Threading: any; a waiter resumes on the executor on which it waits.

#include "core/context.h"
#include "core/result.h"
#include "runtime/task.h"

#include <cstddef>
#include <cstdint>
#include <memory>

namespace aios::runtime {

class Turnstile {
 public:
  struct Options {
    std::uint32_t places = 1;
    std::size_t waiting_max = 1'000;
  };
  explicit Turnstile(const Options& options);

  struct State;
  /// One place, held until it goes out of scope; may outlive the Turnstile.
  class [[nodiscard]] Pass {
   public:
    Pass() = default;  ///< holds none
    explicit Pass(std::shared_ptr<State> state) : state_(std::move(state)) {}
    Pass(Pass&&) noexcept = default;
    Pass& operator=(Pass&& other) noexcept;
    ~Pass() { give_back(); }
    void give_back();  ///< now; again: nothing happens
    explicit operator bool() const { return state_ != nullptr; }

   private:
    std::shared_ptr<State> state_;
  };

  /// Waits for a place. @return resource_exhausted (Retry::same_call), at once, when waiting_max
  /// others wait; else only ctx's end, cancelled or deadline_exceeded.
  Task<Result<Pass>> enter(Context ctx) const;
  std::uint32_t taken() const;
  std::size_t waiting() const;
  bool idle() const;  ///< nobody is inside and nobody waits

 private:
  std::shared_ptr<State> state_;
};

}  // namespace aios::runtime
