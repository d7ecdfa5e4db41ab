// SPDX-License-Identifier: Apache-2.0
#include "core/json.h"
#include "core/text.h"
#include "govern/audit.h"
#include "govern/holder.h"
#include "govern/policy_input.h"
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

/// Against what, and how it went; null without anything that serves.
Json comparison_facts(const Match& match) {
  if (match.champion == 0) {
    return nullptr;
  }
  if (!match.comparison) {
    return JsonObject{{"champion", match.champion}, {"rollback", true}};
  }
  const Comparison& found = *match.comparison;
  JsonArray losses(found.losses.begin(), found.losses.end());
  return JsonObject{{"champion", match.champion}, {"rollback", false},
                    {"passed", found.passed()},   {"rows", found.rows},
                    {"lost", found.lost},         {"won", found.won},
                    {"p_worse", found.p_worse},   {"losses", std::move(losses)}};
}

enum class Eyes : std::uint8_t { two, four };

JsonObject guard_facts(const VersionInfo& info, const AliasInfo& wanted, Eyes eyes,
                       const Match& match) {
  JsonArray failed;
  for (const std::string& gate : failed_gates(info)) {
    failed.emplace_back(gate);
  }
  if (match.comparison) {
    for (const std::string& loss : match.comparison->losses) {
      failed.emplace_back(loss);
    }
  }
  const bool passed = failed.empty();
  JsonObject metrics = detail::metrics_of(info.heldout);
  metrics["unmeasured"] = detail::unmeasured_of(info.heldout);
  return govern::held(
      govern::GuardPoint::model_promote,
      {{"model", {{"name", info.model}, {"version", info.version}, {"alias", wanted.alias}}},
       {"metrics", std::move(metrics)},
       {"gates", {{"passed", passed}, {"failed", std::move(failed)}}},
       {"comparison", comparison_facts(match)},
       {"heldout", info.lineage.sent_data ? "sent" : "bundle"},
       {"proposer", {{"id", wanted.set_by}}},
       {"four_eyes", eyes == Eyes::four}});
}

store::AuditLeaf promotion_leaf(const Context& ctx, Time now, const AliasInfo& alias,
                                std::string_view outcome, govern::Decision decision,
                                const Match& match) {
  govern::LeafFacts facts(govern::LeafKind::promotion);
  facts.stream = alias.alias;
  facts.outcome = outcome;
  facts.facts = {{"alias", alias.alias}, {"model", alias.model}, {"version", alias.version}};
  if (match.champion != 0) {
    facts.facts["comparison"] = comparison_facts(match);
  }
  facts.decisions.push_back(std::move(decision));
  return govern::make_leaf(ctx, now, facts);
}

/// Of a version that was damaged or erased for good; what cannot be read now is another matter.
bool is_gone(const Error& error) {
  return error.code() == Code::data_loss || error.code() == Code::not_found;
}

}  // namespace

void Models::know_holders(Holder holder) { impl_->holder = std::move(holder); }

bool Models::Impl::same_person(const TenantId& tenant, const std::string& one,
                               const std::string& other) const {
  return one == other ||
         (holder && govern::same_holder(holder(tenant, one), holder(tenant, other)));
}

Task<Result<AliasInfo>> Models::promote(Context ctx, std::string model, std::uint32_t version,
                                        std::string alias, PromoteOptions options) {
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
  auto match = co_await impl_->match(ctx, *info, wanted.alias, options);
  if (!match.ok()) {
    co_return std::move(match).error();
  }
  const bool own = impl_->same_person(ctx.tenant, info->trained_by, ctx.principal->id);
  JsonObject facts = guard_facts(*info, wanted, own ? Eyes::two : Eyes::four, *match);
  govern::Ruling ruling =
      impl_->guard.ask(ctx, govern::GuardPoint::model_promote, std::move(facts));
  std::optional<Error> refusal;
  if (own) {
    // No policy can loosen this, and none need say it: the one who asked learns the plain reason.
    refusal =
        Error(Code::failed_precondition,
              fmt::format("'{}' or another key of its holder trained version {} of '{}', wanted "
                          "another person to promote it",
                          ctx.principal->id, version, info->model))
            .page(706);
  } else if (!ruling.allowed()) {
    refusal = ruling.to_error();
  } else if (match->comparison && !match->comparison->passed()) {
    refusal =
        Error(Code::failed_precondition,
              fmt::format("version {} of '{}' loses against version {}: {}", version, info->model,
                          match->comparison->champion, join(match->comparison->losses, "; ")))
            .page(722);
  }
  auto leaf =
      promotion_leaf(ctx, now, wanted, refusal ? "refused" : "promoted", ruling.decision, *match);
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

/// Against what serves the alias now, or served it last; nothing did, nobody can read it any more,
/// or the same version: nothing to compare.
Task<Result<Match>> Models::Impl::match(Context ctx, VersionInfo info, std::string alias,
                                        PromoteOptions options) {
  Match match;
  const AliasInfo champion = serving.last(ctx.tenant, alias).value_or(AliasInfo());
  if (champion.model == info.model && champion.version == info.version) {
    co_return match;
  }
  match.champion = champion.version;
  if (options.rollback) {  // also to an alias that nothing ever served: there is no way back
    auto before = co_await served_before(std::move(ctx), std::move(info), std::move(alias));
    if (!before.ok()) {
      co_return std::move(before).error();
    }
    co_return match;
  }
  if (champion.version == 0) {
    co_return match;
  }
  auto other = co_await version(ctx, champion.model, champion.version);
  std::optional<Error> unread;
  if (other.ok()) {
    auto model = co_await open(ctx, *other);
    unread = model.ok() ? std::nullopt : std::optional(std::move(model).error());
  } else {
    unread = std::move(other).error();
  }
  if (unread && is_gone(*unread)) {
    match.champion = 0;  // else nothing could ever serve here again
    co_return match;
  }
  if (unread) {
    co_return *std::move(unread);
  }
  auto compared = co_await compare(ctx, std::move(info), std::move(*other));
  if (!compared.ok()) {
    co_return std::move(compared).error().with(fmt::format("promoting to '{}'", alias));
  }
  match.comparison = std::move(*compared);
  co_await keep(std::move(ctx), *match.comparison);
  co_return match;
}

Task<Result<void>> Models::Impl::served_before(Context ctx, VersionInfo info, std::string alias) {
  auto rows = co_await store.history(std::move(ctx), store::StreamKind::model_alias, alias);
  if (!rows.ok() && rows.error().code() != Code::not_found) {
    co_return std::move(rows).error();
  }
  for (const store::HistoryRow& row : rows.ok() ? *rows : std::vector<store::HistoryRow>()) {
    auto served = row.erased ? Result<AliasInfo>(AliasInfo()) : detail::alias_from(row.data);
    if (row.type == detail::alias_set_event && served.ok() && served->model == info.model &&
        served->version == info.version) {
      co_return Result<void>();
    }
  }
  co_return Error(
      Code::failed_precondition,
      fmt::format("version {} of '{}' never served '{}', wanted one that did to go back "
                  "to without comparison",
                  info.version, info.model, alias))
      .page(723);
}

Task<Result<AliasInfo>> Models::Impl::set_alias(Context ctx, AliasInfo alias,
                                                std::shared_ptr<const Model> model,
                                                store::AuditLeaf leaf) {
  auto present = co_await alias_revision(ctx, alias.alias);
  if (!present.ok()) {
    co_return std::move(present).error();
  }
  auto write = detail::to_write(alias, *present);
  auto committed = co_await commit_alias(ctx, std::move(write), std::move(leaf), "promoting to");
  if (!committed.ok()) {
    co_return std::move(committed).error();
  }
  serving.set(ctx.tenant, {alias, *present + 1, std::move(model), std::nullopt});
  co_return alias;
}

Task<Result<std::uint64_t>> Models::Impl::alias_revision(Context ctx, std::string alias) {
  auto row = co_await store.stream(std::move(ctx), store::StreamKind::model_alias, alias);
  if (!row.ok() && row.error().code() != Code::not_found) {
    co_return std::move(row).error();
  }
  co_return row.ok() ? row->version : 0;
}

Task<Result<void>> Models::Impl::commit_alias(Context ctx, store::StreamWrite write,
                                              store::AuditLeaf leaf, std::string doing) {
  const std::string alias = write.id;
  store::Transition transition;
  transition.tenant = ctx.tenant;
  transition.epoch = store.epoch();
  transition.streams.push_back(std::move(write));
  transition.leaves.push_back(std::move(leaf));
  auto committed = co_await store.commit(std::move(ctx), std::move(transition));
  if (!committed.ok()) {
    const bool raced = committed.error().code() == Code::aborted;
    Error error = std::move(committed).error();
    co_return Error(error.code(), error.message(), raced ? Retry::same_call : error.retry())
        .page(error.page())
        .with(fmt::format("{} '{}'", doing, alias));
  }
  co_return Result<void>();
}

Task<Result<AliasInfo>> Models::remove_alias(Context ctx, std::string alias) {
  if (!ctx.principal) {
    co_return Error(Code::unauthenticated, "a removal needs somebody who is named in the record");
  }
  const auto serves = impl_->serving.find(ctx.tenant, alias);
  const bool nothing = !serves.ok() && serves.error().code() == Code::not_found;
  if (nothing && serves.error().page() == 705) {  // one that cannot be read can be taken away
    co_return serves.error();
  }
  AliasInfo gone = impl_->serving.last(ctx.tenant, alias).value_or(AliasInfo());
  auto present = co_await impl_->alias_revision(ctx, alias);
  if (!present.ok()) {
    co_return std::move(present).error();
  }
  auto info = co_await impl_->version(ctx, gone.model, gone.version);
  if (!info.ok()) {
    co_return std::move(info).error().with(fmt::format("taking away the alias '{}'", alias));
  }
  const Time now = impl_->clock.now();
  gone.set_by = ctx.principal->id;
  gone.since = now;
  const bool own = impl_->same_person(ctx.tenant, info->trained_by, ctx.principal->id);
  JsonObject facts = guard_facts(*info, gone, own ? Eyes::two : Eyes::four, Match());
  facts["removal"] = true;
  govern::Ruling ruling =
      impl_->guard.ask(ctx, govern::GuardPoint::model_promote, std::move(facts));
  const bool allowed = ruling.allowed();
  auto leaf =
      promotion_leaf(ctx, now, gone, allowed ? "removed" : "refused", ruling.decision, Match());
  if (!allowed) {
    Error refusal = ruling.to_error();
    co_await impl_->audit(std::move(ctx), std::move(leaf));
    co_return refusal;
  }
  auto write = detail::removal_write(gone, *present);
  auto committed =
      co_await impl_->commit_alias(ctx, std::move(write), std::move(leaf), "taking away the alias");
  if (!committed.ok()) {
    co_return std::move(committed).error();
  }
  impl_->serving.set(ctx.tenant, {gone, *present + 1, nullptr, std::nullopt, true});
  co_return gone;
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
