// SPDX-License-Identifier: Apache-2.0
#pragma once
// tests/sim/watched: a server's way to its store, that tells the ledger what it asked and was
// answered. A server that is thought dead and is not keeps its epoch and asks the store of its
// successor.

#include "ledger.h"
#include "store/test/forwarding.h"

#include <memory>
#include <utility>

namespace aios::sim {

class Watched final : public store::test::Forwarding {
 public:
  Watched(std::unique_ptr<store::Store> store, Ledger& ledger)
      : Forwarding(std::move(store)),
        ledger_(ledger),
        epoch_(inner().epoch()) {}

  void outlive(Watched& next) { next_ = &next.Forwarding::inner(); }
  std::uint64_t epoch() const override { return epoch_; }

  Task<Result<store::Committed>> commit(Context ctx, store::Transition transition) override {
    auto flight = ledger_.begin(transition);
    auto done = co_await inner().commit(std::move(ctx), std::move(transition));
    if (done.ok()) {
      ledger_.committed(flight, *done);
    } else {
      ledger_.refused(flight, is_sure(done.error().code()));
    }
    co_return done;
  }

 protected:
  store::Store& inner() override { return next_ != nullptr ? *next_ : Forwarding::inner(); }
  const store::Store& inner() const override {
    return next_ != nullptr ? *next_ : Forwarding::inner();
  }

 private:
  /// Of an error of the disk it is not known whether the transition is on it.
  static bool is_sure(Code code) {
    return code == Code::aborted || code == Code::failed_precondition ||
           code == Code::already_exists || code == Code::budget_exceeded ||
           code == Code::resource_exhausted || code == Code::invalid_argument;
  }

  Ledger& ledger_;
  store::Store* next_ = nullptr;
  std::uint64_t epoch_;  // behind next_: it is asked of the store
};

}  // namespace aios::sim
