// SPDX-License-Identifier: Apache-2.0
// Versions on their held-out rows: against each other, and for the floors of a policy.
#include "core/text.h"
#include "models/advice.h"
#include "models/comparison.h"
#include "models/detail/models_impl.h"
#include "models/models.h"

#include <fmt/format.h>

#include <set>

namespace aios::models {
namespace {

constexpr std::size_t strangers_max = 20'000;

Result<void> check_wish(const AdviceWish& wish) {
  const auto share = [](double value) { return value > 0 && value <= 1; };
  if (!share(wish.error_max) || !share(wish.out_of_scope_max)) {
    return Error(Code::invalid_argument,
                 fmt::format("found the wishes {} and {}, wanted shares above 0 and up to 1",
                             wish.error_max, wish.out_of_scope_max))
        .page(727);
  }
  if (wish.out_of_scope.size() > strangers_max) {
    return Error(Code::invalid_argument,
                 fmt::format("found {} texts out of scope, wanted at most {}",
                             wish.out_of_scope.size(), strangers_max))
        .page(727);
  }
  return {};
}

}  // namespace

Task<Result<FrozenRows>> Models::Impl::frozen_rows(Context ctx, VersionInfo info) {
  const Error none =
      Error(Code::not_found, fmt::format("found no held-out rows kept with version {} of '{}'",
                                         info.version, info.model))
          .page(726);
  if (info.lineage.frozen.empty()) {
    co_return none;  // trained before they were kept
  }
  auto bytes = co_await store.blob(ctx, info.lineage.frozen);
  if (!bytes.ok()) {
    co_return std::move(bytes).error().with(fmt::format("reading model '{}'", info.model));
  }
  auto rows = detail::frozen_from(*bytes);
  if (!rows.ok()) {
    co_return std::move(rows).error();
  }
  FrozenRows frozen;
  frozen.rows = std::move(*rows);
  if (info.lineage.kept_back > 0 && row_source && !info.lineage.blob.empty()) {
    auto told = co_await store.blob(ctx, info.lineage.blob);
    if (!told.ok()) {
      co_return std::move(told).error();
    }
    auto verdicts = detail::rows_from(*told);
    if (!verdicts.ok()) {
      co_return std::move(verdicts).error();
    }
    auto reading = row_source(ctx, info.lineage.row_sets);
    auto people = co_await std::move(reading);
    if (!people.ok()) {
      co_return std::move(people).error();
    }
    std::map<std::string, std::string> kept;  // id -> label
    for (const RowVerdict& verdict : *verdicts) {
      if (verdict.use == RowUse::kept_back) {
        kept[verdict.id] = verdict.label;
      }
    }
    for (const CorrectionRow& row : *people) {
      const auto found = kept.find(row.id);
      if (found != kept.end()) {
        frozen.rows.push_back({row.text, found->second});
        ++frozen.people;
      }
    }
    frozen.gone = kept.size() - frozen.people;  // erased, or answered anew
  }
  if (frozen.rows.empty()) {
    co_return none;
  }
  co_return frozen;
}

/// None where nothing serves, or what it was measured on is not kept.
Task<std::vector<Example>> Models::Impl::rows_of_champion(Context ctx, std::string model) {
  const std::uint32_t champion = champion_of(ctx.tenant, model);
  if (champion == 0) {
    co_return std::vector<Example>();
  }
  auto info = co_await version(ctx, std::move(model), champion);
  if (!info.ok()) {
    co_return std::vector<Example>();
  }
  auto frozen = co_await frozen_rows(std::move(ctx), std::move(*info));
  co_return frozen.ok() ? std::move(frozen->rows) : std::vector<Example>();
}

/// Who sends the data a version is made of does not choose what it is measured on too.
Task<Result<Comparison>> Models::Impl::compare(Context ctx, VersionInfo challenger,
                                               VersionInfo champion) {
  auto frozen = co_await frozen_rows(ctx, challenger.lineage.sent_data ? champion : challenger);
  if (!frozen.ok()) {
    co_return std::move(frozen).error();
  }
  auto one = co_await open(ctx, challenger);
  if (!one.ok()) {
    co_return std::move(one).error();
  }
  auto other = co_await open(ctx, champion);
  if (!other.ok()) {
    co_return std::move(other).error();
  }
  auto rows = std::make_shared<FrozenRows>(std::move(*frozen));
  std::function<Result<Comparison>()> work = [rows, one = *one, other = *other, challenger,
                                              champion]() -> Result<Comparison> {
    Comparison result = compare_models(*one, *other, rows->rows, challenger.gates);
    result.model = challenger.model;
    result.challenger = challenger.version;
    result.champion = champion.version;
    result.people_rows = rows->people;
    result.rows_gone = rows->gone;
    return result;
  };
  auto compared = co_await runtime::blocking(std::move(ctx), pool, std::move(work));
  co_return compared;
}

/// What two versions were found to be, for who looks later. Two who keep at once found the same.
Task<void> Models::Impl::keep(Context ctx, Comparison comparison) {
  detail::Note note;
  note.id = detail::compared_id(comparison.model, comparison.challenger, comparison.champion);
  note.model = comparison.model;
  note.status = detail::note_compared;
  auto row = co_await store.stream(ctx, store::StreamKind::model_note, note.id);
  note.present = row.ok() ? row->version : 0;
  note.state = to_json(comparison);
  store::Transition transition;
  transition.tenant = ctx.tenant;
  transition.epoch = store.epoch();
  transition.streams.push_back(detail::note_write(note));
  auto committed = co_await store.commit(std::move(ctx), std::move(transition));
  static_cast<void>(committed.ok());
}

Task<Result<Comparison>> Models::compare(Context ctx, std::string model, std::uint32_t challenger,
                                         std::uint32_t champion) {
  auto info = co_await impl_->version(ctx, model, challenger);
  if (!info.ok()) {
    co_return std::move(info).error();
  }
  if (champion == 0) {
    champion = info->lineage.parent;
  }
  if (champion == 0) {
    co_return Error(Code::not_found,
                    fmt::format("nothing served when version {} of '{}' was trained, wanted a "
                                "version to compare it with",
                                challenger, model))
        .page(726);
  }
  auto other = co_await impl_->version(ctx, std::move(model), champion);
  if (!other.ok()) {
    co_return std::move(other).error();
  }
  auto compared = co_await impl_->compare(std::move(ctx), std::move(*info), std::move(*other));
  co_return compared;
}

Task<Result<Advice>> Models::advise(Context ctx, std::string model, std::uint32_t version,
                                    AdviceWish wish) {
  auto checked = check_wish(wish);
  if (!checked.ok()) {
    co_return std::move(checked).error();
  }
  if (version == 0) {
    auto all = co_await versions(ctx, model);
    if (!all.ok()) {
      co_return std::move(all).error();
    }
    version = all->empty() ? 1 : all->back().version;
  }
  auto info = co_await impl_->version(ctx, std::move(model), version);
  if (!info.ok()) {
    co_return std::move(info).error();
  }
  auto frozen = co_await impl_->frozen_rows(ctx, *info);
  if (!frozen.ok()) {
    co_return std::move(frozen).error();
  }
  auto opened = co_await impl_->open(ctx, *info);
  if (!opened.ok()) {
    co_return std::move(opened).error();
  }
  auto rows = std::make_shared<FrozenRows>(std::move(*frozen));
  auto wanted = std::make_shared<AdviceWish>(std::move(wish));
  std::function<Result<Advice>()> work = [rows, wanted, opened = *opened,
                                          about = *info]() -> Result<Advice> {
    Advice advice = advise_on(*opened, rows->rows, std::move(*wanted));
    advice.model = about.model;
    advice.version = about.version;
    return advice;
  };
  auto advice = co_await runtime::blocking(std::move(ctx), impl_->pool, std::move(work));
  co_return advice;
}

}  // namespace aios::models
