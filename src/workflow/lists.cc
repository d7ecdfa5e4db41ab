// SPDX-License-Identifier: Apache-2.0
// Lists of runs: read a few rows at a time, so that a page of large runs neither holds a shard nor
// fills the memory.
#include "workflow/detail/engine_impl.h"
#include "workflow/detail/views.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace aios::workflow {
namespace {

constexpr std::uint32_t rows_at_once = 16;
constexpr std::size_t page_state_bytes_max = std::size_t{4} << 20;

RunView read_row(const store::StreamRow& row, Shown shown) {
  if (row.erased) {
    return view_of(row, RunState());
  }
  auto state = shown == Shown::all ? decode_state(row.state) : decode_head(row.state);
  if (state.ok()) {
    return view_of(row, *state);
  }
  auto view = view_of(row, RunState());
  view.unreadable = state.error().page() == 0 ? std::string(name_of(state.error().code()))
                                              : fmt::format("AIOS-{:04}", state.error().page());
  return view;
}

Task<Result<RunPage>> read_page(store::Store* store, Context ctx, store::ListQuery query,
                                Shown shown, Branches branches) {
  RunPage page;
  std::size_t bytes = 0;
  std::uint32_t left = query.limit;
  while (left > 0 && bytes < page_state_bytes_max) {
    query.limit = std::min(left, rows_at_once);
    auto rows = co_await store->list(ctx, query);
    if (!rows.ok()) {
      co_return std::move(rows).error();
    }
    std::uint32_t told = 0;
    for (const store::StreamRow& row : *rows) {
      bytes += shown == Shown::all ? row.state.size() : 0;
      auto view = read_row(row, shown);
      if (branches == Branches::shown || view.branch.empty()) {
        page.runs.push_back(std::move(view));
        ++told;
      }
    }
    if (rows->size() < query.limit) {
      co_return page;
    }
    query.after = rows->back().id;
    left -= told;
    co_await runtime::yield();
  }
  page.more = true;
  co_return page;
}

}  // namespace

Task<Result<void>> ListTurns::take(Context ctx) {
  runtime::OneShot<void> comes;
  std::uint64_t number = 0;
  {
    const std::lock_guard lock(mutex_);
    if (free_ > 0) {
      --free_;
      co_return Result<void>();
    }
    if (waiting_.size() >= waiting_max) {
      co_return Error(Code::resource_exhausted, "too many lists of runs are asked for at once",
                      Retry::same_call)
          .page(1019)
          .after(std::chrono::seconds(1));
    }
    number = next_++;
    waiting_.emplace(number, comes);
  }
  auto waited = co_await comes.wait(std::move(ctx));
  if (!waited.ok()) {
    const std::lock_guard lock(mutex_);
    waiting_.erase(number);
  }
  co_return waited;
}

void ListTurns::give_back() {
  const std::lock_guard lock(mutex_);
  while (!waiting_.empty()) {
    const auto first = waiting_.begin();
    const bool taken = first->second.set(Result<void>());  // false: it gave up meanwhile
    waiting_.erase(first);
    if (taken) {
      return;
    }
  }
  ++free_;
}

Task<Result<RunPage>> Engine::list(Context ctx, store::ListQuery query, Shown shown) {
  return list(std::move(ctx), std::move(query), shown, Branches::hidden);
}

Task<Result<RunPage>> Engine::list(Context ctx, store::ListQuery query, Shown shown,
                                   Branches branches) {
  query.kind = store::StreamKind::run;
  query.with_state = true;
  auto turn = co_await impl_->list_turns.take(ctx);
  if (!turn.ok()) {
    co_return std::move(turn).error().with("listing runs");
  }
  auto page =
      co_await read_page(impl_->services.store, std::move(ctx), std::move(query), shown, branches);
  impl_->list_turns.give_back();
  co_return page;
}

}  // namespace aios::workflow
