// SPDX-License-Identifier: Apache-2.0
// What is no longer kept.
#include "core/ids.h"
#include "store/detail/store_impl.h"

#include <fmt/format.h>

namespace aios::store::detail {
namespace {

constexpr std::uint32_t rows_max = 10'000;

}  // namespace

/// An id begins with the time it was made at: what was made later was not written before.
Task<Result<Expired>> StoreImpl::expire(Context ctx, Expiry expiry) {
  if (auto refused = refuse(ctx)) {
    co_return *std::move(refused);
  }
  if (expiry.prefix.empty() || expiry.limit == 0 || expiry.limit > rows_max) {
    co_return Error(Code::invalid_argument,
                    fmt::format("an expiry of ids '{}' that looks at {} rows, wanted a prefix and "
                                "1 to {} rows",
                                expiry.prefix, expiry.limit, rows_max))
        .page(406);
  }
  TableExpiry wanted{expiry.kind,
                     ctx.tenant.text(),
                     std::move(expiry.after),
                     make_id(expiry.prefix, expiry.before, {}),
                     expiry.before,
                     expiry.limit};
  std::function<Result<Expired>()> remove = [this, wanted] { return folder_.expire(wanted); };
  auto expired = co_await off_shard(ctx, true, std::move(remove));
  co_return expired;
}

}  // namespace aios::store::detail
