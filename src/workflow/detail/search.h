// SPDX-License-Identifier: Apache-2.0
#pragma once
// workflow/detail/search: the index of search attributes. An entry is a stream (kind
// search_attribute) whose id is "name \x1f key \x1f run": entries of a name sort by value, those of
// a value by run, so a range of values is a range of ids.

#include "core/context.h"
#include "core/result.h"
#include "runtime/task.h"
#include "store/store.h"
#include "workflow/search.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

namespace aios::workflow {

/// Values that one run may have been found by in its life; later ones are not taken over.
inline constexpr std::size_t indexed_max = 64;
inline constexpr char index_separator = '\x1f';

inline std::string attribute_index_key(std::string_view name, std::string_view key) {
  return std::string(name) + index_separator + std::string(key);
}
inline std::string attribute_entry_id(std::string_view index_key, std::string_view run_id) {
  return std::string(index_key) + index_separator + std::string(run_id);
}

/// Run ids in ]low, high[ that something names, read page by page.
class RunSource {
 public:
  /// Of a condition that the index can answer (all but `differs`).
  static RunSource of_condition(const Condition& condition, std::string low, std::string high);
  /// Of a status and a workflow, either of which may be empty; rows are held against the times.
  static RunSource of_runs(const RunQuestion& question, std::string low, std::string high);

  /// One page more.
  Task<Result<void>> read(store::Store* store, Context ctx);
  bool ordered() const { return ordered_; }  ///< newest first
  bool complete() const { return complete_; }
  std::uint64_t entries() const { return entries_; }
  /// The newest first, each once.
  std::vector<std::string> take_ids();
  /// Whether a run may be among what it names; what was not read yet may be.
  bool may_have(const std::string& run_id);
  /// Of an ordered one that is not complete: everything above was read.
  const std::string& floor() const { return floor_; }

 private:
  void take_rows(const std::vector<store::StreamRow>& rows, std::uint32_t limit);

  store::ListQuery query_;
  std::string prefix_;      // of ids of entries; empty: ids are those of runs
  std::string end_;         // ids are read up to here
  std::string low_, high_;  // run ids, exclusive
  std::optional<Time> since_, until_;
  bool ordered_ = true;
  bool complete_ = false;
  std::uint64_t entries_ = 0;
  std::string floor_;
  std::vector<std::string> ids_;
  std::unordered_set<std::string> known_;  // of ids_, made when it is asked for
};

}  // namespace aios::workflow
