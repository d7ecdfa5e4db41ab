// SPDX-License-Identifier: Apache-2.0
// What is no longer kept.
#include "core/ids.h"
#include "store/detail/store_impl.h"

#include <fmt/format.h>

namespace aios::store::detail {
namespace {

constexpr std::uint32_t rows_max = 10'000;

/// Where ids begin with the time they were made at, what was made later was not written before.
std::string first_kept(const Expiry& expiry) {
  const bool timed = expiry.kind != StreamKind::delivery && expiry.kind != StreamKind::source_place;
  return timed ? make_id(expiry.prefix, expiry.before, {}) : expiry.prefix + '\x7f';
}

}  // namespace

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
  auto below = first_kept(expiry);
  TableExpiry wanted{expiry.kind,      ctx.tenant.text(), std::move(expiry.after),
                     std::move(below), expiry.before,     expiry.limit};
  std::function<Result<Expired>()> remove = [this, wanted] { return folder_.expire(wanted); };
  auto expired = co_await off_shard(ctx, true, std::move(remove));
  co_return expired;
}

}  // namespace aios::store::detail
