// SPDX-License-Identifier: Apache-2.0
// Rows that somebody takes in spite of a refusal.
#include "core/text.h"
#include "govern/audit.h"
#include "models/detail/models_impl.h"
#include "models/learning.h"
#include "models/models.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

namespace aios::models {
namespace {

constexpr std::uint32_t page_rows = 500;
constexpr std::size_t accepted_max = 100'000;
constexpr std::size_t accept_ids_max = 60;  // streams of one transition

struct Acceptance {
  const Context& ctx;
  const std::string& model;
  const std::vector<CorrectionRow>& rows;
  const Accepted& before;
  Time now;
  std::function<bool(const std::string& one, const std::string& other)> same_person;
};

/// A note a row and one leaf; no stream where all were accepted before.
Result<store::Transition> accept_all(const Acceptance& about, const std::vector<std::string>& ids) {
  store::Transition transition;
  const std::string& by = about.ctx.principal->id;
  JsonArray names;
  for (const std::string& id : ids) {
    const auto row = std::find_if(about.rows.begin(), about.rows.end(),
                                  [&id](const CorrectionRow& it) { return it.id == id; });
    if (row == about.rows.end()) {
      return Error(Code::not_found, fmt::format("found no correction '{}' for model '{}'",
                                                excerpt(id, 60), about.model))
          .page(724);
    }
    if (about.same_person(row->by, by)) {
      return Error(Code::failed_precondition,
                   fmt::format("'{}' made the correction '{}', wanted another one to accept it", by,
                               id))
          .page(725);
    }
    if (about.before.contains(id)) {
      continue;
    }
    names.emplace_back(id);
    detail::Note note;
    note.id = detail::accepted_id(about.model, id);
    note.model = about.model;
    note.status = detail::note_accepted;
    note.state = JsonObject{{"row", id}, {"by", by}, {"at", to_rfc3339(about.now)}};
    transition.streams.push_back(detail::note_write(note));
  }
  govern::LeafFacts facts(govern::LeafKind::model);
  facts.stream = about.model;
  facts.outcome = "rows_accepted";
  facts.facts = {{"model", about.model}, {"rows", std::move(names)}};
  transition.leaves.push_back(govern::make_leaf(about.ctx, about.now, facts));
  return transition;
}

}  // namespace

Task<Result<Accepted>> Models::Impl::accepted(Context ctx, std::string model) {
  store::ListQuery query;
  query.tenant = ctx.tenant;
  query.kind = store::StreamKind::model_note;
  query.label = std::move(model);
  query.status = detail::note_accepted;
  query.limit = page_rows;
  Accepted found;
  while (found.size() < accepted_max) {
    auto rows = co_await store.list(ctx, query);
    if (!rows.ok()) {
      co_return std::move(rows).error();
    }
    for (const store::StreamRow& row : *rows) {
      query.after = row.id;
      auto note = parse_json(row.state);
      if (note.ok() && !row.erased) {
        found[std::string(text_or(*note, "row", ""))] = text_or(*note, "by", "");
      }
    }
    if (rows->size() < page_rows) {
      break;
    }
  }
  co_return found;
}

Task<Result<void>> Models::accept_rows(Context ctx, ModelSpec spec, std::vector<std::string> ids) {
  if (!ctx.principal || ids.empty() || ids.size() > accept_ids_max) {
    co_return Error(Code::invalid_argument,
                    fmt::format("found {} rows to accept, wanted 1 to {}, by somebody who is named",
                                ids.size(), accept_ids_max))
        .page(724);
  }
  std::vector<CorrectionRow> none;
  Result<std::vector<CorrectionRow>> rows = std::move(none);
  if (impl_->row_source) {
    auto reading = impl_->row_source(ctx, spec.row_sets);
    rows = co_await std::move(reading);
  }
  if (!rows.ok()) {
    co_return std::move(rows).error();
  }
  auto before = co_await impl_->accepted(ctx, spec.name);
  if (!before.ok()) {
    co_return std::move(before).error();
  }
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  auto acceptance = accept_all({ctx, spec.name, *rows, *before, impl_->clock.now(),
                                [this, &ctx](const std::string& one, const std::string& other) {
                                  return impl_->same_person(ctx.tenant, one, other);
                                }},
                               ids);
  if (!acceptance.ok()) {
    co_return std::move(acceptance).error();
  }
  store::Transition transition = *std::move(acceptance);
  if (transition.streams.empty()) {
    co_return Result<void>();  // somebody accepted them all already
  }
  transition.tenant = ctx.tenant;
  transition.epoch = impl_->store.epoch();
  auto committed = co_await impl_->store.commit(std::move(ctx), std::move(transition));
  if (!committed.ok()) {
    co_return std::move(committed).error().with("accepting corrections");
  }
  co_return Result<void>();
}

}  // namespace aios::models
