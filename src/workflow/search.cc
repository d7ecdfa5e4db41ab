// SPDX-License-Identifier: Apache-2.0
// Finds runs. Each condition names runs by the index, the status and the workflow by the runs' own
// rows. All are read side by side until one of them is at its end: that one is the smallest, and
// what it names is read run by run, newest first, and held against the run's own state. So what is
// found is exact whatever the index still has of values that a run had once.
#include "workflow/search.h"

#include "core/ids.h"
#include "workflow/detail/engine_impl.h"
#include "workflow/detail/search.h"
#include "workflow/detail/views.h"

#include <algorithm>
#include <utility>

namespace aios::workflow {
namespace {

constexpr std::uint64_t entries_max = 10'000;   ///< of one source, by one search
constexpr std::uint64_t looked_at_max = 5'000;  ///< runs, by one search
constexpr std::size_t few = 1'000;  ///< so many runs are looked at rather than more entries
constexpr std::uint64_t reads_in_turn = 16;

std::string first_id(Time time) { return make_id("run", time, {}); }

std::vector<RunSource> sources_of(const RunQuestion& question) {
  std::string high = question.after;
  if (question.before) {
    auto id = first_id(*question.before);
    high = high.empty() || id < high ? std::move(id) : high;
  }
  const auto low = question.from ? first_id(*question.from) : std::string();
  std::vector<RunSource> out;
  for (const Condition& condition : question.where) {
    if (condition.comparison != Comparison::differs) {
      out.push_back(RunSource::of_condition(condition, low, high));
    }
  }
  out.push_back(RunSource::of_runs(question, low, high));
  return out;
}

/// The one that names the fewest: at its end, or else an ordered one, by a condition if there is.
std::size_t smallest(const std::vector<RunSource>& sources) {
  std::size_t best = sources.size();
  std::size_t ordered = sources.size();
  for (std::size_t i = 0; i < sources.size(); ++i) {
    if (sources[i].complete() &&
        (best == sources.size() || sources[i].entries() < sources[best].entries())) {
      best = i;
    }
    if (sources[i].ordered() && ordered == sources.size()) {
      ordered = i;
    }
  }
  return best == sources.size() ? ordered : best;
}

enum class Until : std::uint8_t { one_complete, all };

/// A page of each in turn, each up to its bound.
Task<Result<void>> read_sources(store::Store* store, Context ctx, std::vector<RunSource>* sources,
                                Until until) {
  const auto complete = [](const RunSource& source) { return source.complete(); };
  for (;;) {
    bool more = false;
    for (RunSource& source : *sources) {
      if (source.complete() || source.entries() >= entries_max) {
        continue;
      }
      auto read = co_await source.read(store, ctx);
      if (!read.ok()) {
        co_return std::move(read).error();
      }
      more = true;
      co_await runtime::yield();
    }
    const bool one = std::any_of(sources->begin(), sources->end(), complete);
    if (!more || (until == Until::one_complete && one)) {
      co_return Result<void>();
    }
  }
}

struct Candidates {
  std::vector<std::string> ids;  // newest first
  std::string floor;             // more of them may be below; empty: that is all
};

Task<Result<Candidates>> candidates_of(store::Store* store, Context ctx, RunQuestion question,
                                       RunsFound* found) {
  auto sources = sources_of(question);
  auto read = co_await read_sources(store, ctx, &sources, Until::one_complete);
  if (!read.ok()) {
    co_return std::move(read).error();
  }
  const std::size_t chosen = smallest(sources);
  if (sources.size() > 1 && sources[chosen].entries() > few) {
    read = co_await read_sources(store, ctx, &sources, Until::all);
    if (!read.ok()) {
      co_return std::move(read).error();
    }
  }
  Candidates out;
  out.floor = sources[chosen].complete() ? "" : sources[chosen].floor();
  out.ids = sources[chosen].take_ids();
  for (std::size_t i = 0; i < sources.size(); ++i) {
    found->entries += sources[i].entries();
    if (i != chosen) {
      std::erase_if(out.ids, [&](const std::string& id) { return !sources[i].may_have(id); });
    }
  }
  co_return out;
}

/// @return nothing: it is gone, erased, a branch, or does not fit
Task<Result<std::optional<RunView>>> look_at(store::Store* store, Context ctx, std::string id,
                                             const RunQuestion* question) {
  auto row = co_await store->stream(ctx, store::StreamKind::run, id);
  if (!row.ok()) {
    if (row.error().code() != Code::not_found) {
      co_return std::move(row).error();
    }
    co_return std::optional<RunView>();
  }
  if (row->erased) {
    co_return std::optional<RunView>();
  }
  auto state = decode_head(row->state);
  if (!state.ok()) {
    co_return std::optional<RunView>();  // `runs list` shows it, with why it cannot be read
  }
  auto view = view_of(*row, *state);
  const bool wanted = view.branch.empty() && fits(*question, view);
  co_return wanted ? std::optional(std::move(view)) : std::nullopt;
}

Task<Result<RunsFound>> find_runs(store::Store* store, Context ctx, RunQuestion question) {
  RunsFound found;
  auto candidates = co_await candidates_of(store, ctx, question, &found);
  if (!candidates.ok()) {
    co_return std::move(candidates).error();
  }
  for (const std::string& id : candidates->ids) {
    if (found.runs.size() >= question.limit || found.looked_at >= looked_at_max) {
      found.cut = found.runs.size() < question.limit;
      co_return found;  // `next` is the last one that was read
    }
    auto run = co_await look_at(store, ctx, id, &question);
    if (!run.ok()) {
      co_return std::move(run).error();
    }
    found.next = id;
    if (*run) {
      found.runs.push_back(std::move(**run));
    }
    if (++found.looked_at % reads_in_turn == 0) {
      co_await runtime::yield();
    }
  }
  found.next = candidates->floor;
  found.cut = !candidates->floor.empty() && found.runs.size() < question.limit;
  co_return found;
}

}  // namespace

bool fits(const RunQuestion& question, const RunView& run) {
  const auto same = [](const std::string& wanted, std::string_view has) {
    return wanted.empty() || wanted == has;
  };
  if (!same(question.status, run.status) || !same(question.workflow, run.workflow) ||
      !same(question.version, run.version) || (question.since && run.updated < *question.since) ||
      (question.until && run.updated >= *question.until) ||
      (question.from && run.id < first_id(*question.from)) ||
      (question.before && run.id >= first_id(*question.before))) {
    return false;
  }
  if (!question.error.empty() || !question.step.empty()) {
    const Json error = clear_problem(run.error);
    const std::string_view step = text_or(error, "instance", "");
    if (!same(question.error, text_or(error, "page", "")) ||
        !(same(question.step, step) || step.ends_with("/" + question.step))) {
      return false;
    }
  }
  const JsonObject none;
  const auto& attributes = run.attributes.is_object() ? run.attributes.get_object() : none;
  return std::all_of(question.where.begin(), question.where.end(),
                     [&](const Condition& one) { return one.fits(attributes); });
}

Task<Result<RunsFound>> Engine::search(Context ctx, RunQuestion question) {
  auto turn = co_await impl_->list_turns.take(ctx);
  if (!turn.ok()) {
    co_return std::move(turn).error().with("searching runs");
  }
  auto found = co_await find_runs(impl_->services.store, std::move(ctx), std::move(question));
  impl_->list_turns.give_back();
  co_return found;
}

}  // namespace aios::workflow
