// SPDX-License-Identifier: Apache-2.0
// Training: with the bundle's data alone, or with people's rows besides.
#include "models/learning.h"

#include "core/codec.h"
#include "core/crypto.h"
#include "core/failpoint.h"
#include "core/text.h"
#include "models/detail/models_impl.h"
#include "models/detail/training.h"
#include "models/models.h"

#include <fmt/format.h>

#include <algorithm>

namespace aios::models {
namespace {

Result<void> check_spec(const Context& ctx, const ModelSpec& spec, const EngineRegistry& engines) {
  if (!ctx.principal) {
    return Error(Code::unauthenticated, "training needs somebody who is named in the record");
  }
  if (engines.find(spec.engine) == nullptr) {
    return Error(Code::invalid_argument,
                 fmt::format("found the engine '{}', wanted one of {}", excerpt(spec.engine, 60),
                             join(engines.names(), ", ")))
        .page(708);
  }
  return detail::check_name("model name", spec.name);
}

VersionInfo to_info(const Context& ctx, const ModelSpec& spec, detail::Trained trained, Time now) {
  VersionInfo info;
  info.model = spec.name;
  info.engine = spec.engine;
  info.owner = spec.owner;
  info.intended_use = spec.intended_use;
  info.failure_modes = spec.failure_modes;
  info.seed = spec.seed;
  info.accuracy_min = spec.accuracy_min;
  info.trained_by = ctx.principal->id;
  info.dataset_digest = std::move(trained.dataset_digest);
  info.heldout_digest = std::move(trained.heldout_digest);
  info.examples = trained.examples;
  info.heldout = std::move(trained.heldout);
  info.training = trained.training;
  info.created = now;
  return info;
}

detail::TrainingJob job_of(const Context& ctx, const ModelSpec& spec, const EngineRegistry& engines,
                           std::vector<Example> examples, std::vector<Example> heldout) {
  detail::TrainingJob job{*engines.find(spec.engine),
                          spec.seed,
                          std::move(examples),
                          std::move(heldout),
                          ctx.cancel,
                          {},
                          {},
                          {},
                          {}};
  job.new_labels.insert(spec.new_labels.begin(), spec.new_labels.end());
  return job;
}

/// Over id, label and use of each row: which rows made this version, without their texts.
std::string digest_of(const std::vector<RowVerdict>& verdicts) {
  Writer out;
  out.u8(1);
  for (const RowVerdict& verdict : verdicts) {
    out.bytes(verdict.id);
    out.bytes(verdict.label);
    out.u8(static_cast<std::uint8_t>(verdict.use));
  }
  return to_hex(view(sha256(out.data())));
}

Lineage lineage_of(const ModelSpec& spec, const detail::Trained& trained) {
  Lineage lineage;
  lineage.leaked = trained.leaked;
  lineage.row_sets = spec.row_sets;
  lineage.sent_data = spec.sent_data;
  for (const RowVerdict& verdict : trained.verdicts) {
    switch (verdict.use) {
      case RowUse::learnt:
        ++lineage.learnt;
        ++lineage.learnt_by_label[verdict.label];
        break;
      case RowUse::kept_back: ++lineage.kept_back; break;
      case RowUse::refused: ++lineage.refused; break;
      case RowUse::held_out: ++lineage.held_out; break;
    }
  }
  if (!trained.verdicts.empty()) {
    lineage.rows_digest = digest_of(trained.verdicts);
  }
  for (const std::string& label : spec.new_labels) {
    if (std::find(trained.labels.begin(), trained.labels.end(), label) == trained.labels.end()) {
      lineage.waiting.push_back(label);
    }
  }
  return lineage;
}

}  // namespace

void Models::read_rows(RowSource source) { impl_->row_source = std::move(source); }

Task<Result<VersionInfo>> Models::train(Context ctx, ModelSpec spec, std::vector<Example> examples,
                                        std::vector<Example> heldout) {
  auto checked = check_spec(ctx, spec, *impl_->engines);
  if (!checked.ok()) {
    co_return std::move(checked).error();
  }
  auto job = job_of(ctx, spec, *impl_->engines, std::move(examples), std::move(heldout));
  if (spec.sent_data) {
    job.kept_away = co_await impl_->rows_of_champion(ctx, spec.name);
  }
  auto trained = co_await impl_->train(std::move(ctx), std::move(spec), std::move(job));
  co_return trained;
}

Task<Result<VersionInfo>> Models::learn(Context ctx, ModelSpec spec, std::vector<Example> examples,
                                        std::vector<Example> heldout) {
  auto checked = check_spec(ctx, spec, *impl_->engines);
  if (!checked.ok()) {
    co_return std::move(checked).error();
  }
  auto job = std::make_shared<detail::TrainingJob>(
      job_of(ctx, spec, *impl_->engines, std::move(examples), std::move(heldout)));
  auto gathered = co_await impl_->gather(ctx, spec, job);
  if (!gathered.ok()) {
    co_return std::move(gathered).error();
  }
  if (spec.sent_data) {
    job->kept_away = co_await impl_->rows_of_champion(ctx, spec.name);
  }
  auto trained = co_await impl_->train(std::move(ctx), std::move(spec), std::move(*job));
  co_return trained;
}

Task<Result<std::vector<RowVerdict>>> Models::screen_rows(Context ctx, ModelSpec spec,
                                                          std::vector<Example> examples,
                                                          std::vector<Example> heldout) {
  auto checked = check_spec(ctx, spec, *impl_->engines);
  if (!checked.ok()) {
    co_return std::move(checked).error();
  }
  auto job = std::make_shared<detail::TrainingJob>(
      job_of(ctx, spec, *impl_->engines, std::move(examples), std::move(heldout)));
  auto gathered = co_await impl_->gather(ctx, std::move(spec), job);
  if (!gathered.ok()) {
    co_return std::move(gathered).error();
  }
  auto pass = co_await TrainingTurns::take(impl_->training, ctx);
  if (!pass.ok()) {
    co_return std::move(pass).error();
  }
  std::function<Result<std::vector<RowVerdict>>()> work = [job, pass = std::move(*pass)]() mutable {
    auto verdicts = detail::run_screening(std::move(*job));
    pass.reset();
    return verdicts;
  };
  auto verdicts = co_await runtime::blocking(std::move(ctx), impl_->pool, std::move(work));
  co_return verdicts;
}

Task<Result<void>> Models::Impl::gather(Context ctx, ModelSpec spec,
                                        std::shared_ptr<detail::TrainingJob> job) {
  std::vector<CorrectionRow> none;
  Result<std::vector<CorrectionRow>> rows = std::move(none);
  if (row_source) {
    auto reading = row_source(ctx, spec.row_sets);
    rows = co_await std::move(reading);
  }
  if (!rows.ok()) {
    co_return std::move(rows).error().with("reading the corrections");
  }
  if (rows->empty()) {
    co_return Error(Code::failed_precondition,
                    fmt::format("found no correction for '{}', wanted at least one",
                                join(spec.row_sets, "' or '")))
        .page(720);
  }
  if (rows->size() > correction_rows_max) {
    co_return Error(Code::resource_exhausted, fmt::format("found {} corrections, wanted at most {}",
                                                          rows->size(), correction_rows_max))
        .page(721);
  }
  auto taken = co_await accepted(ctx, spec.name);
  if (!taken.ok()) {
    co_return std::move(taken).error();
  }
  // Who trains has no say in which refusals do not count.
  const std::string trainer = ctx.principal->id;
  std::erase_if(*taken,
                [&](const auto& entry) { return same_person(ctx.tenant, entry.second, trainer); });
  job->rows = std::move(*rows);
  job->accepted = std::move(*taken);
  co_return Result<void>();
}

Task<Result<VersionInfo>> Models::Impl::train(Context ctx, ModelSpec spec,
                                              detail::TrainingJob job) {
  auto pass = co_await TrainingTurns::take(training, ctx);
  if (!pass.ok()) {
    co_return std::move(pass).error();
  }
  auto shared_job = std::make_shared<detail::TrainingJob>(std::move(job));
  // The work may outlive this wait (deadline): it holds the pass, and no pointer to this.
  std::function<Result<detail::Trained>()> work = [shared_job, pass = std::move(*pass),
                                                   clock = &clock]() mutable {
    auto trained = detail::run_training(std::move(*shared_job), *clock);
    pass.reset();
    return trained;
  };
  auto trained = co_await runtime::blocking(ctx, pool, std::move(work));
  if (!trained.ok()) {
    co_return std::move(trained).error().with(fmt::format("training model '{}'", spec.name));
  }
  auto info = co_await register_trained(std::move(ctx), std::move(spec), std::move(*trained));
  co_return info;
}

/// The blobs first: a version never names one that is not there.
Task<Result<VersionInfo>> Models::Impl::register_trained(Context ctx, ModelSpec spec,
                                                         detail::Trained trained) {
  Lineage lineage = lineage_of(spec, trained);
  lineage.parent = champion_of(ctx.tenant, spec.name);
  std::string rows = trained.verdicts.empty() ? "" : detail::rows_text(trained.verdicts);
  std::string model;
  for (auto [bytes, name] :
       {std::pair(&trained.bytes, &model), std::pair(&trained.frozen, &lineage.frozen),
        std::pair(&rows, &lineage.blob)}) {
    if (bytes->empty()) {
      continue;
    }
    store::Payload payload{detail::seal_subject(spec.name), std::move(*bytes)};
    auto blob = co_await store.put_blob(ctx, std::move(payload));
    if (!blob.ok()) {
      co_return std::move(blob).error().with(fmt::format("storing model '{}'", spec.name));
    }
    *name = std::move(*blob);
  }
  VersionInfo info = to_info(ctx, spec, std::move(trained), clock.now());
  info.gates = spec.gates;
  info.lineage = std::move(lineage);
  info.blob = std::move(model);
  AIOS_FAILPOINT("model.saved");
  auto added = co_await add_version(ctx, std::move(info));
  if (!added.ok() || added->lineage.parent == 0) {
    co_return added;
  }
  // Whoever is to promote it sees at once how it fares. That it cannot be compared is no reason to
  // lose it: a promotion compares anew.
  auto champion = co_await version(ctx, added->model, added->lineage.parent);
  if (champion.ok()) {
    auto compared = co_await compare(ctx, *added, std::move(*champion));
    if (compared.ok()) {
      co_await keep(std::move(ctx), std::move(*compared));
    }
  }
  co_return added;
}

std::uint32_t Models::Impl::champion_of(const TenantId& tenant, std::string_view model) const {
  std::uint32_t found = 0;
  for (const AliasInfo& alias : serving.aliases(tenant)) {
    if (alias.model == model && (found == 0 || alias.alias == model)) {
      found = alias.version;
    }
  }
  return found;
}

Task<Result<std::vector<RowVerdict>>> Models::rows_of(Context ctx, std::string model,
                                                      std::uint32_t version) {
  auto info = co_await impl_->version(ctx, std::move(model), version);
  if (!info.ok()) {
    co_return std::move(info).error();
  }
  if (info->lineage.blob.empty()) {
    co_return std::vector<RowVerdict>();
  }
  auto bytes = co_await impl_->store.blob(std::move(ctx), info->lineage.blob);
  if (!bytes.ok()) {
    co_return std::move(bytes).error();
  }
  co_return detail::rows_from(*bytes);
}

}  // namespace aios::models
