// SPDX-License-Identifier: Apache-2.0
// Runs that came from a backup. The server they were copied from may have gone on with them: what
// they did outside since then is in no file here. So each of them takes its next effects for ones
// that may have happened, until it is known of one that it did not: then none after it did.
#include "workflow/detail/engine_impl.h"

#include <utility>

namespace aios::workflow {
namespace {

constexpr std::uint32_t page_max = 1'000;

}  // namespace

/// Of a run as it was loaded.
void Engine::Impl::mark_restored(LiveRun& run) {
  run.state.from_backup = true;
  if (run.state.effect) {
    note_sent(run, clock(run), Duration(0));  // as late as the other server can have sent it
  }
}

void Engine::Impl::doubt(LiveRun& run) {
  auto& effect = *run.state.effect;
  const auto now = clock(run).now();
  effect.maybe_happened = true;
  effect.first_at = effect.first_at.value_or(now);
  note_sent(run, clock(run), Duration(0));
}

Task<Result<void>> Engine::Impl::tell_restored(Context ctx) {
  if (!services.restored_through || services.log == nullptr) {
    co_return Result<void>();
  }
  auto tenants = co_await services.store->tenants_with_leaves(ctx);
  if (!tenants.ok()) {
    co_return std::move(tenants).error();
  }
  std::uint64_t runs = 0;
  for (const auto& tenant : *tenants) {
    for (const auto status : {RunStatus::running, RunStatus::waiting}) {
      const Context of_tenant = system_context(tenant, "restored runs");
      auto found = co_await count_restored(of_tenant, std::string(name_of(status)));
      if (!found.ok()) {
        co_return std::move(found).error();
      }
      runs += *found;
    }
  }
  if (runs > 0) {
    services.log->write(observe::Level::warn, "workflow",
                        "runs came from a backup: what they do next may have happened already, so "
                        "they ask first, and effects that nobody can ask for become incidents",
                        {{"runs", runs}, {"backup_of", to_rfc3339(*services.restored_through)}},
                        &ctx);
  }
  co_return Result<void>();
}

/// Of those that no commit was made for since.
Task<Result<std::uint64_t>> Engine::Impl::count_restored(Context ctx, std::string status) {
  std::uint64_t count = 0;
  store::ListQuery query;
  query.status = std::move(status);
  query.limit = page_max;
  query.with_state = false;
  for (;;) {
    auto page = query;
    auto rows = co_await services.store->list(ctx, std::move(page));
    if (!rows.ok()) {
      co_return std::move(rows).error();
    }
    for (const auto& row : *rows) {
      count += row.updated <= *services.restored_through ? 1 : 0;
    }
    if (rows->size() < page_max) {
      co_return count;
    }
    query.after = rows->back().id;
  }
}

}  // namespace aios::workflow
