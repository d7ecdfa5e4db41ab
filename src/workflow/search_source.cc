// SPDX-License-Identifier: Apache-2.0
// Where the ids of runs are read that a search may find.
#include "workflow/detail/search.h"

#include "store/label.h"

#include <algorithm>
#include <utility>

namespace aios::workflow {
namespace {

constexpr std::uint32_t page_size = 500;
/// Behind every run's id, which are letters, digits, '_' and '-'.
constexpr char behind_ids = '\x7f';

}  // namespace

RunSource RunSource::of_condition(const Condition& condition, std::string low, std::string high) {
  RunSource out;
  out.low_ = std::move(low);
  out.high_ = std::move(high);
  out.query_.kind = store::StreamKind::search_attribute;
  out.query_.limit = page_size;
  out.query_.with_state = false;
  const auto key = attribute_key(condition.type, condition.value);
  const auto value = attribute_index_key(condition.name, key);
  const auto behind_value = value + index_separator + behind_ids;
  if (condition.comparison == Comparison::equal) {
    out.prefix_ = value + index_separator;
    out.query_.newest_first = true;
    out.query_.after = out.prefix_ + (out.high_.empty() ? std::string(1, behind_ids) : out.high_);
    out.end_ = out.prefix_ + out.low_;
    return out;
  }
  out.ordered_ = false;
  out.prefix_ = attribute_index_key(condition.name, key.substr(0, 1));  // of all of its type
  out.query_.after = out.prefix_;
  out.end_ = out.prefix_ + behind_ids;
  switch (condition.comparison) {
    case Comparison::less: out.end_ = value; break;
    case Comparison::at_most: out.end_ = behind_value; break;
    case Comparison::greater: out.query_.after = behind_value; break;
    case Comparison::at_least: out.query_.after = value; break;
    case Comparison::equal:
    case Comparison::differs: break;
  }
  return out;
}

RunSource RunSource::of_runs(const RunQuestion& question, std::string low, std::string high) {
  RunSource out;
  out.low_ = std::move(low);
  out.high_ = std::move(high);
  out.since_ = question.since;
  out.until_ = question.until;
  out.query_.kind = store::StreamKind::run;
  out.query_.status = question.status;
  out.query_.label = store::label_of(question.workflow);
  out.query_.limit = page_size;
  out.query_.with_state = false;
  out.query_.newest_first = true;
  out.query_.after = out.high_;
  out.end_ = out.low_;
  return out;
}

Task<Result<void>> RunSource::read(store::Store* store, Context ctx) {
  auto rows = co_await store->list(ctx, query_);
  if (!rows.ok()) {
    co_return std::move(rows).error();
  }
  take_rows(*rows, query_.limit);
  co_return Result<void>();
}

void RunSource::take_rows(const std::vector<store::StreamRow>& rows, std::uint32_t limit) {
  complete_ = rows.size() < limit;
  for (const store::StreamRow& row : rows) {
    const bool over = query_.newest_first ? row.id < end_ : row.id >= end_;
    if (!row.id.starts_with(prefix_) || over) {
      complete_ = true;
      break;
    }
    ++entries_;
    query_.after = row.id;
    const auto at = prefix_.empty() ? std::string::npos : row.id.rfind(index_separator);
    auto run = at == std::string::npos ? row.id : row.id.substr(at + 1);
    floor_ = run;
    const bool in_time = (!since_ || row.updated >= *since_) && (!until_ || row.updated < *until_);
    if (run >= low_ && (high_.empty() || run < high_) && in_time) {
      ids_.push_back(std::move(run));
    }
  }
  known_.clear();
}

std::vector<std::string> RunSource::take_ids() {
  auto out = std::exchange(ids_, {});
  if (!ordered_) {
    std::sort(out.begin(), out.end(), std::greater<>());
    out.erase(std::unique(out.begin(), out.end()), out.end());
  }
  return out;
}

bool RunSource::may_have(const std::string& run_id) {
  if (!complete_ && (!ordered_ || run_id < floor_)) {
    return true;
  }
  if (known_.empty()) {
    known_.insert(ids_.begin(), ids_.end());
  }
  return known_.contains(run_id);
}

}  // namespace aios::workflow
