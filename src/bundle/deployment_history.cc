// SPDX-License-Identifier: Apache-2.0
// What was deployed before: the history of the tenant's deployment stream, an entry a deployment.
#include "bundle/detail/deployment_records.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace aios::bundle {
namespace {

struct Recorded {
  DeploymentInfo info;
  std::string blob;  ///< of its files
};

Task<Result<std::vector<Recorded>>> all_recorded(store::Store& store, Context ctx) {
  auto rows =
      co_await store.history(std::move(ctx), store::StreamKind::deployment, deployment_stream);
  if (!rows.ok() && rows.error().code() != Code::not_found) {
    co_return std::move(rows).error().with("reading what was deployed before");
  }
  std::vector<Recorded> out;
  for (const auto& row : rows.ok() ? *rows : std::vector<store::HistoryRow>()) {
    auto state = parse_json(row.data);
    if (!state.ok()) {
      continue;  // its key is gone
    }
    Recorded one{info_from(*state), std::string(text_or(*state, "blob", ""))};
    one.info.number = row.version;
    out.push_back(std::move(one));
  }
  co_return out;
}

}  // namespace

Task<Result<std::vector<DeploymentInfo>>> deployed_before(store::Store& store, Context ctx) {
  auto all = co_await all_recorded(store, std::move(ctx));
  if (!all.ok()) {
    co_return std::move(all).error();
  }
  std::vector<DeploymentInfo> out;
  for (Recorded& one : *all) {
    out.push_back(std::move(one.info));
  }
  std::reverse(out.begin(), out.end());
  co_return out;
}

Task<Result<Deployments::Earlier>> deployed_as(store::Store& store, Context ctx,
                                               std::uint64_t number) {
  auto all = co_await all_recorded(store, ctx);
  if (!all.ok()) {
    co_return std::move(all).error();
  }
  const auto wanted = std::find_if(all->begin(), all->end(), [number](const Recorded& one) {
    return one.info.number == number;
  });
  if (wanted == all->end()) {
    co_return Error(Code::not_found,
                    fmt::format("tenant '{}' has no deployment {}; 'aios deployments list' shows "
                                "those there were",
                                ctx.tenant.text(), number))
        .page(1108);
  }
  auto blob = co_await store.blob(ctx, wanted->blob);
  if (!blob.ok()) {
    co_return std::move(blob).error().with(
        fmt::format("reading the files of deployment {}", number));
  }
  auto files = files_from(*blob);
  if (!files.ok()) {
    co_return std::move(files).error().with(
        fmt::format("reading the files of deployment {}", number));
  }
  Deployments::Earlier out;
  out.files = std::move(*files);
  for (const auto& later : all->back().info.set) {
    out.overrides[later.key()] = nullptr;  // back to the default, unless it was set then too
  }
  for (const auto& set : wanted->info.set) {
    out.overrides[set.key()] = set.value();
  }
  co_return out;
}

}  // namespace aios::bundle
