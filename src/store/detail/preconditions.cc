// SPDX-License-Identifier: Apache-2.0
// The sequencer's checks: every precondition of a transition against batch, delta and tables.
#include "store/detail/sequencer.h"

#include "core/broken.h"

#include <fmt/format.h>

namespace aios::store::detail {

Error key_is_taken(std::size_t number) {
  return Error(Code::already_exists, fmt::format("key {} of the transition is taken", number))
      .page(402);
}

Result<Committed> Sequencer::evaluate(const Submission& submission, Staged& staged,
                                      std::uint64_t sequence) {
  const Record& record = *submission.record;
  if (!left_out("epoch") && record.epoch != engine_.epoch()) {
    return Error(Code::failed_precondition,
                 fmt::format("the writer is of epoch {}, the store is in epoch {}", record.epoch,
                             engine_.epoch()))
        .page(401);
  }
  if (auto refused = check_streams(submission, staged)) {
    return *std::move(refused);
  }
  if (auto refused = check_keys(submission, staged)) {
    return *std::move(refused);
  }
  std::unordered_map<std::string, std::int64_t> moved;
  if (auto refused = check_budgets(record, staged, &moved)) {
    return *std::move(refused);
  }
  Committed committed;
  committed.sequence = sequence;
  auto leaf = next_leaf(record.tenant, staged);
  if (!leaf.ok()) {
    return std::move(leaf).error();
  }
  committed.first_leaf = *leaf;
  // Nothing can fail from here on: a refused transition leaves no trace in the batch.
  for (const RecordStream& stream : record.streams) {
    staged.versions.insert_or_assign(stream.key, stream.expected_version + 1);
  }
  for (const RecordKey& key : record.keys) {
    staged.keys.insert(key.fingerprint);
  }
  for (const auto& [account, balance_nano] : moved) {
    staged.budgets.insert_or_assign(account, balance_nano);
  }
  if (!record.leaves.empty()) {
    staged.leaves.insert_or_assign(record.tenant, *leaf + record.leaves.size());
  }
  for (std::size_t i = 0; i < record.outbox.size(); ++i) {
    committed.outbox_ids.push_back(outbox_id(sequence, i));
  }
  return committed;
}

Result<std::uint64_t> Sequencer::version(const Submission& submission, std::size_t index,
                                         const Staged& staged) {
  const std::string& key = submission.record->streams[index].key;
  if (auto found = staged.versions.find(key); found != staged.versions.end()) {
    return found->second;
  }
  if (auto found = delta_.version(key)) {
    return *found;
  }
  const auto& base = submission.base_versions[index];
  if (base && delta_.dropped() <= submission.base_cursor &&
      leaving_.ended() == submission.base_removals) {
    return *base;
  }
  return engine_.version(key);
}

std::optional<Error> Sequencer::check_streams(const Submission& submission, const Staged& staged) {
  const auto& streams = submission.record->streams;
  for (std::size_t i = 0; i < streams.size(); ++i) {
    auto found = version(submission, i, staged);
    if (!found.ok()) {
      return std::move(found).error();
    }
    if (!left_out("version") && *found != streams[i].expected_version) {
      return Error(Code::aborted,
                   fmt::format("{} '{}' is at version {}, the transition expects {}",
                               name_of(kind_of(streams[i].key)), id_of(streams[i].key), *found,
                               streams[i].expected_version),
                   Retry::whole_step)
          .page(400);
    }
  }
  return std::nullopt;
}

std::optional<Error> Sequencer::check_keys(const Submission& submission, const Staged& staged) {
  const auto& keys = submission.record->keys;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    bool taken =
        staged.keys.contains(keys[i].fingerprint) || delta_.key(keys[i].fingerprint).has_value();
    if (!taken && delta_.dropped() <= submission.base_cursor) {
      taken = submission.base_keys_taken[i];
    } else if (!taken) {
      auto found = engine_.key(keys[i].fingerprint);
      if (!found.ok()) {
        return std::move(found).error();
      }
      taken = found->has_value();
    }
    if (taken && !left_out("key")) {
      return key_is_taken(i + 1);
    }
  }
  return std::nullopt;
}

std::optional<Error> Sequencer::check_budgets(
    const Record& record, const Staged& staged,
    std::unordered_map<std::string, std::int64_t>* moved) {
  for (const BudgetMove& move : record.budgets) {
    const std::string account = account_key(record.tenant, move.account);
    auto before = moved->contains(account) ? Result<std::int64_t>(moved->at(account))
                                           : balance(account, staged);
    if (!before.ok()) {
      return std::move(before).error();
    }
    std::int64_t after = 0;
    const bool overflow = __builtin_add_overflow(*before, move.amount_nano, &after);
    // Giving back is always allowed: a lowered limit must not hold what was reserved under the old
    // one.
    if (overflow || (move.amount_nano > 0 && after > move.limit_nano)) {
      return Error(
                 Code::budget_exceeded,
                 fmt::format("account '{}' holds {} nano-units, {} more would pass its limit of {}",
                             move.account, *before, move.amount_nano, move.limit_nano))
          .page(403);
    }
    moved->insert_or_assign(account, after);
  }
  return std::nullopt;
}

Result<std::uint64_t> Sequencer::next_leaf(const std::string& tenant, const Staged& staged) {
  if (auto found = staged.leaves.find(tenant); found != staged.leaves.end()) {
    return found->second;
  }
  if (auto found = next_leaf_.find(tenant); found != next_leaf_.end()) {
    return found->second;
  }
  auto count = engine_.leaf_count(
      tenant);  // the first leaf since the store was opened: the tables have all others
  if (count.ok()) {
    next_leaf_.emplace(tenant, *count);
  }
  return count;
}

Result<std::int64_t> Sequencer::balance(const std::string& account, const Staged& staged) {
  if (auto found = staged.budgets.find(account); found != staged.budgets.end()) {
    return found->second;
  }
  return budget(account);
}

Result<std::int64_t> Sequencer::budget(const std::string& account) {
  std::lock_guard lock(balances_mutex_);
  if (auto found = balances_.find(account); found != balances_.end()) {
    return found->second;
  }
  // Not touched since the store was opened, so no fold can be changing it.
  return engine_.budget(account);
}

}  // namespace aios::store::detail
