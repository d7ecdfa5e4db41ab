// SPDX-License-Identifier: Apache-2.0
#pragma once
// tests/tenants/loop: simulated time with a random that gives every draw of a share the same value,
// however many were drawn before: a pause that is cut by chance is as long whoever else draws. Ids
// stay apart by a counter in the low bits.

#include "runtime/sim.h"

#include <atomic>
#include <coroutine>
#include <cstdint>
#include <functional>
#include <utility>

namespace aios::tenants {

class SteadyRandom final : public runtime::Random {
 public:
  /// The high bits make the share (0.37), the low ones the id.
  std::uint64_t next() override { return (std::uint64_t{0x5EB85} << 44) + counter_++; }

 private:
  std::atomic<std::uint64_t> counter_{1};
};

class Loop final : public runtime::Executor {
 public:
  Loop() { set_current(this); }
  ~Loop() override {
    if (current() == this) {
      set_current(nullptr);
    }
  }
  void post(std::function<void()> work) override {
    ++posted_;
    sim_.post(std::function<void()>([this, work = std::move(work)] { within(work); }));
  }
  void post(std::coroutine_handle<> handle) override {
    post(std::function<void()>([handle] { handle.resume(); }));
  }
  TimerId call_at(Instant at, std::function<void()> work) override {
    return sim_.call_at(at, [this, work = std::move(work)] { within(work); });
  }
  void cancel(TimerId timer) override { sim_.cancel(timer); }
  runtime::Clock& clock() override { return sim_.clock(); }
  runtime::Random& random() override { return random_; }

  /// Runs everything due up to then.
  void advance(Duration span) { sim_.advance(span); }
  std::uint64_t posted() const { return posted_; }

 private:
  void within(const std::function<void()>& work) {
    Executor* const before = current();
    set_current(this);
    work();
    set_current(before);
  }

  runtime::SimExecutor sim_;
  SteadyRandom random_;
  std::atomic<std::uint64_t> posted_{0};
};

}  // namespace aios::tenants
