// SPDX-License-Identifier: Apache-2.0
#include "bundle/detail/deployment_records.h"
#include "core/failpoint.h"
#include "core/text.h"
#include "govern/audit.h"
#include "store/label.h"

#include <fmt/format.h>

namespace aios::bundle {
namespace {

constexpr std::uint16_t history_deployed = 1;

}  // namespace

Task<Result<DeploymentInfo>> recorded(store::Store& store, Context ctx) {
  auto row = co_await store.stream(ctx, store::StreamKind::deployment, deployment_stream);
  if (!row.ok()) {
    if (row.error().code() == Code::not_found) {
      co_return DeploymentInfo();
    }
    co_return std::move(row).error();
  }
  auto state = parse_json(row->state);
  if (!state.ok()) {
    co_return std::move(state).error();
  }
  DeploymentInfo info = info_from(*state);
  info.number = row->version;
  co_return info;
}

Task<Result<void>> record(store::Store& store, Context ctx, DeploymentInfo info, Blobs blobs) {
  JsonObject state = record_json(info);
  state["blob"] = blobs.files;
  if (!blobs.embedding.empty()) {
    state["embedding"] = blobs.embedding;
  }
  const std::string text = to_text(Json(state));

  store::StreamWrite write;
  write.kind = store::StreamKind::deployment;
  write.id = deployment_stream;
  write.expected_version = info.number - 1;
  write.state = store::Payload{"", text};
  write.history.push_back({history_deployed, info.at, store::Payload{"", text}});
  write.status = "current";
  write.label = store::label_of(info.name);

  govern::LeafFacts leaf(govern::LeafKind::deployment);
  leaf.stream = fmt::format("{}#{}", info.name, info.number);
  leaf.outcome = "ok";
  leaf.facts["version"] = info.version;
  leaf.facts["digest"] = info.digest;
  leaf.facts["by"] = info.by;

  store::Transition transition;
  transition.tenant = ctx.tenant;
  transition.epoch = store.epoch();
  transition.streams.push_back(std::move(write));
  transition.leaves.push_back(govern::make_leaf(ctx, info.at, leaf));
  AIOS_FAILPOINT("deployment.before_record");
  auto committed = co_await store.commit(ctx, std::move(transition));
  if (!committed.ok()) {
    co_return std::move(committed).error().with("recording the deployment");
  }
  AIOS_FAILPOINT("deployment.recorded");
  co_return Result<void>();
}

Task<Result<Blobs>> keep(store::Store& store, Context ctx, std::string files,
                         std::string embedding) {
  Blobs names;
  store::Payload payload;
  payload.bytes = std::move(files);
  auto kept = co_await store.put_blob(ctx, std::move(payload));
  if (!kept.ok()) {
    co_return std::move(kept).error();
  }
  names.files = std::move(*kept);
  if (!embedding.empty()) {
    store::Payload learnt;
    learnt.bytes = std::move(embedding);
    kept = co_await store.put_blob(ctx, std::move(learnt));
    if (!kept.ok()) {
      co_return std::move(kept).error();
    }
    names.embedding = std::move(*kept);
  }
  co_return names;
}

}  // namespace aios::bundle
