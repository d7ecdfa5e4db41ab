// SPDX-License-Identifier: Apache-2.0
#include "models/models.h"

#include "core/text.h"
#include "govern/audit.h"
#include "models/detail/models_impl.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace aios::models {
namespace {

constexpr std::uint32_t page_rows = 500;
constexpr std::size_t versions_max = 100'000;
constexpr int number_tries_max = 8;

store::AuditLeaf trained_leaf(const Context& ctx, const VersionInfo& info) {
  govern::LeafFacts facts(govern::LeafKind::model);
  facts.stream = detail::version_id(info.model, info.version);
  facts.outcome = "registered";
  facts.facts = {{"model", info.model},
                 {"version", info.version},
                 {"engine", info.engine},
                 {"owner", info.owner},
                 {"dataset_digest", info.dataset_digest},
                 {"heldout_digest", info.heldout_digest},
                 {"metrics", detail::metrics_of(info.heldout)},
                 {"accuracy_min", info.accuracy_min}};
  if (!info.lineage.rows_digest.empty()) {
    facts.facts["people"] = JsonObject{{"rows_digest", info.lineage.rows_digest},
                                       {"learnt", info.lineage.learnt},
                                       {"kept_back", info.lineage.kept_back},
                                       {"refused", info.lineage.refused}};
  }
  return govern::make_leaf(ctx, info.created, facts);
}

std::shared_ptr<const EngineRegistry> all_engines() {
  auto engines = std::make_shared<EngineRegistry>();
  register_all_engines(*engines);
  return engines;
}

}  // namespace

Models::Models(store::Store& store, const govern::Guard& guard, runtime::BlockingPool& pool,
               runtime::Clock& clock)
    : impl_(new Impl{store,
                     guard,
                     pool,
                     clock,
                     all_engines(),
                     std::make_shared<TrainingTurns>(),
                     {},
                     nullptr}) {}
Models::~Models() = default;

Task<Result<void>> Models::load(Context ctx) {
  auto tenants = co_await impl_->store.tenants_with_leaves(ctx);
  if (!tenants.ok()) {
    co_return std::move(tenants).error().with("loading the models");
  }
  // Every promotion has a leaf, so no tenant with an alias is missing here.
  std::set<TenantId> all(tenants->begin(), tenants->end());
  for (const TenantId& tenant : all) {
    Context inner = system_context(tenant, "models");
    inner.deadline = ctx.deadline;
    inner.cancel = ctx.cancel;
    auto loaded = co_await impl_->load_tenant(std::move(inner));
    if (!loaded.ok()) {
      co_return std::move(loaded).error().with(
          fmt::format("loading the models of tenant '{}'", tenant.text()));
    }
  }
  co_return Result<void>();
}

Task<Result<void>> Models::Impl::load_tenant(Context ctx) {
  store::ListQuery query;
  query.tenant = ctx.tenant;
  query.kind = store::StreamKind::model_alias;
  query.limit = page_rows;
  for (;;) {
    auto rows = co_await store.list(ctx, query);
    if (!rows.ok()) {
      co_return std::move(rows).error();
    }
    for (store::StreamRow& row : *rows) {
      query.after = row.id;
      auto entry = co_await load_alias(ctx, std::move(row));
      serving.set(ctx.tenant, std::move(entry));
    }
    if (rows->size() < page_rows) {
      co_return Result<void>();
    }
  }
}

Task<detail::ServingEntry> Models::Impl::load_alias(Context ctx, store::StreamRow row) {
  detail::ServingEntry entry;
  entry.revision = row.version;
  entry.info.alias = row.id;
  auto alias = detail::alias_from(row.state);
  if (!alias.ok()) {
    entry.unreadable = std::move(alias).error();
    co_return entry;
  }
  entry.info = std::move(*alias);
  if (row.status == detail::alias_removed) {
    entry.removed = true;
    co_return entry;
  }
  auto info = co_await version(ctx, entry.info.model, entry.info.version);
  if (!info.ok()) {
    entry.unreadable = std::move(info).error();
    co_return entry;
  }
  auto model = co_await open(std::move(ctx), std::move(*info));
  if (!model.ok()) {
    entry.unreadable = std::move(model).error();
    co_return entry;
  }
  entry.model = std::move(*model);
  co_return entry;
}

Task<Result<VersionInfo>> Models::Impl::version(Context ctx, std::string model,
                                                std::uint32_t number) {
  std::string id = detail::version_id(model, number);
  auto row = co_await store.stream(ctx, store::StreamKind::model, std::move(id));
  if (!row.ok() && row.error().code() != Code::not_found) {
    co_return std::move(row).error();
  }
  if (!row.ok() || row->erased) {
    co_return Error(Code::not_found,
                    fmt::format("found no version {} of a model '{}'", number, excerpt(model, 60)))
        .page(704);
  }
  co_return detail::version_from(row->state);
}

Task<Result<std::shared_ptr<const Model>>> Models::Impl::open(Context ctx, VersionInfo info) {
  using Opened = std::shared_ptr<const Model>;
  if (auto model = serving.loaded(ctx.tenant, info.model, info.version)) {
    co_return model;
  }
  const EngineEntry* engine = engines->find(info.engine);
  if (engine == nullptr) {
    co_return Error(Code::failed_precondition,
                    fmt::format("model '{}' needs the engine '{}', which is not in this build",
                                info.model, info.engine))
        .page(708);
  }
  auto bytes = co_await store.blob(ctx, info.blob);
  if (!bytes.ok()) {
    co_return std::move(bytes).error().with(fmt::format("reading model '{}'", info.model));
  }
  std::function<Result<Opened>()> work = [held = engines, engine, text = std::move(*bytes)] {
    auto model = engine->load(text);
    return model.ok() ? Result<Opened>(Opened(std::move(*model)))
                      : Result<Opened>(std::move(model).error());
  };
  auto model = co_await runtime::blocking(std::move(ctx), pool, std::move(work));
  co_return model;
}

Task<Result<VersionInfo>> Models::Impl::add_version(Context ctx, VersionInfo info) {
  store::ListQuery query;
  query.tenant = ctx.tenant;
  query.kind = store::StreamKind::model;
  query.label = info.model;
  auto count = co_await store.count(ctx, query);
  if (!count.ok()) {
    co_return std::move(count).error();
  }
  // Numbers are given without gaps, so the next one is the count; another trainer may be faster.
  info.version = static_cast<std::uint32_t>(*count);
  for (int tries = 0; tries < number_tries_max; ++tries) {
    ++info.version;
    store::Transition transition;
    transition.tenant = ctx.tenant;
    transition.epoch = store.epoch();
    transition.streams.push_back(detail::to_write(info));
    transition.leaves.push_back(trained_leaf(ctx, info));
    auto committed = co_await store.commit(ctx, std::move(transition));
    if (committed.ok()) {
      co_return info;
    }
    if (committed.error().code() != Code::aborted) {
      co_return std::move(committed).error().with(
          fmt::format("registering model '{}'", info.model));
    }
  }
  co_return Error(Code::aborted,
                  fmt::format("{} others registered versions of model '{}' at once",
                              number_tries_max, info.model),
                  Retry::same_call);
}

Task<Result<std::vector<VersionInfo>>> Models::versions(Context ctx, std::string model) {
  store::ListQuery query;
  query.tenant = ctx.tenant;
  query.kind = store::StreamKind::model;
  query.label = std::move(model);
  query.limit = page_rows;
  std::vector<VersionInfo> found;
  while (found.size() < versions_max) {
    auto rows = co_await impl_->store.list(ctx, query);
    if (!rows.ok()) {
      co_return std::move(rows).error();
    }
    for (const store::StreamRow& row : *rows) {
      query.after = row.id;
      if (row.erased) {
        continue;
      }
      auto info = detail::version_from(row.state);
      if (!info.ok()) {
        co_return std::move(info).error().with(fmt::format("reading version '{}'", row.id));
      }
      found.push_back(std::move(*info));
    }
    if (rows->size() < page_rows) {
      break;
    }
  }
  std::sort(found.begin(), found.end(), [](const VersionInfo& a, const VersionInfo& b) {
    return a.model != b.model ? a.model < b.model : a.version < b.version;
  });
  co_return found;
}

std::vector<AliasInfo> Models::aliases(const TenantId& tenant) const {
  return impl_->serving.aliases(tenant);
}

Result<Models::Serving> Models::serving(const TenantId& tenant, std::string_view alias) const {
  return impl_->serving.find(tenant, alias);
}

}  // namespace aios::models
