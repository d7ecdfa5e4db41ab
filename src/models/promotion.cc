// SPDX-License-Identifier: Apache-2.0
#include "core/json.h"
#include "core/text.h"
#include "govern/audit.h"
#include "models/detail/models_impl.h"

#include <fmt/format.h>

namespace aios::models {
namespace {

std::vector<std::string> failed_gates(const VersionInfo& info) {
  if (info.heldout.examples > 0 && info.heldout.accuracy >= info.accuracy_min) {
    return {};
  }
  return {fmt::format("accuracy {:.4f} on {} held-out examples, wanted at least {:.4f}",
                      info.heldout.accuracy, info.heldout.examples, info.accuracy_min)};
}

JsonObject guard_facts(const VersionInfo& info, const std::string& alias, const Principal& by) {
  JsonArray failed;
  for (const std::string& gate : failed_gates(info)) {
    failed.emplace_back(gate);
  }
  const bool passed = failed.empty();
  JsonObject metrics = detail::metrics_of(info.heldout);
  metrics["unmeasured"] = detail::unmeasured_of(info.heldout);
  return {{"model", {{"name", info.model}, {"version", info.version}, {"alias", alias}}},
          {"metrics", std::move(metrics)},
          {"gates", {{"passed", passed}, {"failed", std::move(failed)}}},
          {"proposer", {{"id", by.id}}},
          {"four_eyes", by.id != info.trained_by}};
}

store::AuditLeaf promotion_leaf(const Context& ctx, Time now, const AliasInfo& alias,
                                std::string_view outcome, govern::Decision decision) {
  govern::LeafFacts facts(govern::LeafKind::promotion);
  facts.stream = alias.alias;
  facts.outcome = outcome;
  facts.facts = {{"alias", alias.alias}, {"model", alias.model}, {"version", alias.version}};
  facts.decisions.push_back(std::move(decision));
  return govern::make_leaf(ctx, now, facts);
}

}  // namespace

Task<Result<AliasInfo>> Models::promote(Context ctx, std::string model, std::uint32_t version,
                                        std::string alias) {
  auto checked = detail::check_name("alias", alias);
  if (!checked.ok()) {
    co_return std::move(checked).error();
  }
  if (!ctx.principal) {
    co_return Error(Code::unauthenticated, "a promotion needs somebody who is named in the record");
  }
  auto info = co_await impl_->version(ctx, std::move(model), version);
  if (!info.ok()) {
    co_return std::move(info).error();
  }
  const Time now = impl_->clock.now();
  AliasInfo wanted{std::move(alias), info->model, version, ctx.principal->id, now};
  JsonObject facts = guard_facts(*info, wanted.alias, *ctx.principal);
  govern::Ruling ruling =
      impl_->guard.ask(ctx, govern::GuardPoint::model_promote, std::move(facts));
  std::optional<Error> refusal;
  if (info->trained_by == ctx.principal->id) {
    // No policy can loosen this, and none need say it: the one who asked learns the plain reason.
    refusal = Error(Code::failed_precondition,
                    fmt::format("'{}' trained version {} of '{}', wanted another one to promote it",
                                ctx.principal->id, version, info->model))
                  .page(706);
  } else if (!ruling.allowed()) {
    refusal = ruling.to_error();
  }
  auto leaf = promotion_leaf(ctx, now, wanted, refusal ? "refused" : "promoted", ruling.decision);
  if (refusal) {
    co_await impl_->audit(std::move(ctx), std::move(leaf));
    co_return *std::move(refusal);
  }
  auto opened = co_await impl_->open(ctx, std::move(*info));
  if (!opened.ok()) {
    co_return std::move(opened).error().with(fmt::format("promoting to '{}'", wanted.alias));
  }
  auto set = co_await impl_->set_alias(std::move(ctx), std::move(wanted), std::move(*opened),
                                       std::move(leaf));
  co_return set;
}

Task<Result<AliasInfo>> Models::Impl::set_alias(Context ctx, AliasInfo alias,
                                                std::shared_ptr<const Model> model,
                                                store::AuditLeaf leaf) {
  auto row = co_await store.stream(ctx, store::StreamKind::model_alias, alias.alias);
  if (!row.ok() && row.error().code() != Code::not_found) {
    co_return std::move(row).error();
  }
  const std::uint64_t present = row.ok() ? row->version : 0;
  store::Transition transition;
  transition.tenant = ctx.tenant;
  transition.epoch = store.epoch();
  transition.streams.push_back(detail::to_write(alias, present));
  transition.leaves.push_back(std::move(leaf));
  auto committed = co_await store.commit(ctx, std::move(transition));
  if (!committed.ok()) {
    const bool raced = committed.error().code() == Code::aborted;
    Error error = std::move(committed).error();
    co_return Error(error.code(), error.message(), raced ? Retry::same_call : error.retry())
        .page(error.page())
        .with(fmt::format("promoting to '{}'", alias.alias));
  }
  serving.set(ctx.tenant, {alias, present + 1, std::move(model), std::nullopt});
  co_return alias;
}

/// A refusal is answered whether or not its leaf could be written: it changed nothing.
Task<void> Models::Impl::audit(Context ctx, store::AuditLeaf leaf) {
  store::Transition transition;
  transition.tenant = ctx.tenant;
  transition.epoch = store.epoch();
  transition.leaves.push_back(std::move(leaf));
  auto committed = co_await store.commit(std::move(ctx), std::move(transition));
  static_cast<void>(committed.ok());
}

Task<Result<std::vector<AliasInfo>>> Models::history(Context ctx, std::string alias) {
  auto rows = co_await impl_->store.history(ctx, store::StreamKind::model_alias, std::move(alias));
  if (!rows.ok()) {
    co_return std::move(rows).error();
  }
  std::vector<AliasInfo> served;
  for (const store::HistoryRow& row : *rows) {
    if (row.type != detail::alias_set_event || row.erased) {
      continue;
    }
    auto info = detail::alias_from(row.data);
    if (!info.ok()) {
      co_return std::move(info).error();
    }
    served.push_back(std::move(*info));
  }
  co_return served;
}

}  // namespace aios::models
