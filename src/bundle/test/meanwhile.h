// SPDX-License-Identifier: Apache-2.0
#pragma once
// bundle/test/meanwhile: a store in which something else happens between a read and its answer.

#include "store/test/forwarding.h"

#include <functional>
#include <memory>
#include <string>
#include <utility>

namespace aios::bundle::test {

/// The store that is given, but for one thing.
class Meanwhile final : public store::test::Forwarding {
 public:
  using Forwarding::Forwarding;

  /// Done once, when a stream of this kind was read and before the row is given back.
  void once_read(store::StreamKind kind, std::function<Task<void>()> then) {
    kind_ = kind;
    then_ = std::move(then);
  }

  Task<Result<store::StreamRow>> stream(Context ctx, store::StreamKind kind,
                                        std::string id) override {
    auto row = co_await Forwarding::stream(std::move(ctx), kind, std::move(id));
    if (then_ && kind == kind_) {
      auto then = std::exchange(then_, nullptr);
      co_await then();
    }
    co_return row;
  }

 private:
  store::StreamKind kind_ = store::StreamKind::run;
  std::function<Task<void>()> then_;
};

}  // namespace aios::bundle::test
