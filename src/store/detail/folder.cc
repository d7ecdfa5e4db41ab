// SPDX-License-Identifier: Apache-2.0
#include "store/detail/folder.h"

#include "core/failpoint.h"
#include "store/detail/history.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

namespace aios::store::detail {
namespace {

constexpr std::size_t fold_rows_max = 8192;
constexpr std::uint64_t fold_bytes_max = std::uint64_t{16} << 20;
constexpr std::size_t fold_rows_inline = 32;  // inline, every so many rows are folded at once
constexpr Duration gather_for =
    std::chrono::milliseconds(20);  // more rows of a run merge into one write
// Under load for longer: keys fall all over their table, and of more of them more share a page.
constexpr int gathers_most = 12;
constexpr std::uint64_t gather_rows_load = 128;
constexpr std::uint64_t gather_rows = 8192;
constexpr std::uint64_t sync_bytes = std::uint64_t{16} << 20;
constexpr Duration sync_after = std::chrono::seconds(2);
constexpr Duration pause_after_failure = std::chrono::milliseconds(500);

/// Collects the streams of a fold: the last write of each, all of its events.
class Streams {
 public:
  void add(const JournalRow& row, const RecordStream& stream) {
    auto [found, fresh] = index_.try_emplace(stream.key, rows_.size());
    if (fresh) {
      rows_.emplace_back();
      chunks_.emplace_back();
      rows_.back().row.key = stream.key;
    }
    FoldStream& out = rows_[found->second];
    const std::uint64_t version = stream.expected_version + 1;
    out.row.version = version;
    out.row.status = stream.status;
    out.row.label = stream.label;
    out.row.wake_at = stream.wake_at;
    out.row.end = stream.end;
    out.row.updated = row.time;
    if (stream.state) {
      out.has_state = true;
      out.row.state = *stream.state;
    }
    for (const RecordEvent& event : stream.history) {
      chunks_[found->second].add(version, event);
    }
  }
  std::vector<FoldStream> take() {
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      rows_[i].events = chunks_[i].take();
    }
    // Key order makes the tables' inserts appends.
    std::sort(rows_.begin(), rows_.end(),
              [](const auto& a, const auto& b) { return a.row.key < b.row.key; });
    return std::move(rows_);
  }

 private:
  std::unordered_map<std::string, std::size_t> index_;
  std::vector<FoldStream> rows_;
  std::vector<ChunkWriter> chunks_;
};

void add_outbox(const JournalRow& row, Fold& fold) {
  const Record& record = *row.record;
  for (std::size_t i = 0; i < record.outbox.size(); ++i) {
    fold.outbox.push_back({outbox_id(row.sequence, i), record.tenant, record.outbox[i]});
  }
  fold.outbox_done.insert(fold.outbox_done.end(), record.outbox_done.begin(),
                          record.outbox_done.end());
}

/// A message that was made and delivered inside one fold never reaches the tables.
void cancel_out(Fold& fold) {
  const std::unordered_set<std::uint64_t> done(fold.outbox_done.begin(), fold.outbox_done.end());
  std::erase_if(fold.outbox, [&](const FoldMessage& message) { return done.contains(message.id); });
}

}  // namespace

Fold make_fold(const std::vector<JournalRow>& rows) {
  Fold fold;
  Streams streams;
  std::map<std::string, std::int64_t> budgets;
  for (const JournalRow& row : rows) {
    const Record& record = *row.record;
    for (const RecordStream& stream : record.streams) {
      streams.add(row, stream);
    }
    for (const RecordKey& key : record.keys) {
      fold.keys.push_back({row.time.ns / day_ns, key});
    }
    for (const BudgetMove& move : record.budgets) {
      budgets[account_key(record.tenant, move.account)] += move.amount_nano;
    }
    add_outbox(row, fold);
    for (std::size_t i = 0; i < record.leaves.size(); ++i) {
      fold.leaves.push_back({record.tenant, row.first_leaf + i, record.leaves[i].bytes});
    }
    for (const Assignment& assignment : record.assignments) {
      fold.assignments.push_back({record.tenant, assignment});
    }
    fold.day = std::max(fold.day, row.time.ns / day_ns);
    fold.through = row.sequence;
  }
  cancel_out(fold);
  fold.streams = streams.take();
  fold.budgets.assign(budgets.begin(), budgets.end());
  std::sort(fold.keys.begin(), fold.keys.end(), [](const FoldKey& a, const FoldKey& b) {
    return std::tie(a.day, a.key.fingerprint) < std::tie(b.day, b.key.fingerprint);
  });
  return fold;
}

Folder::Folder(Engine& engine, Delta& delta, ReadGate& gate, Leaving& leaving, Sealer& sealer,
               runtime::Clock& clock)
    : engine_(engine),
      delta_(delta),
      gate_(gate),
      leaving_(leaving),
      sealer_(sealer),
      clock_(clock) {}

Folder::~Folder() { (void)stop(); }

void Folder::start(FolderOptions options) {
  options_ = std::move(options);
  synced_at_ = clock_.instant();
  if (options_.own_thread) {
    thread_ = std::thread([this] { run(); });
  }
}

void Folder::notify() {
  if (!options_.own_thread) {
    if (delta_.last_sequence() - engine_.cursor() >= fold_rows_inline) {
      (void)drain();  // a failure shows at the next commit, and the rows stay in the delta
      (void)sync_once();
    }
    return;
  }
  {
    std::lock_guard lock(mutex_);
    if (std::exchange(notified_, true)) {
      return;
    }
  }
  wake_.notify_one();
}

void Folder::run() {
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      wake_.wait_for(lock, sync_after, [this] { return notified_ || stopping_; });
      if (stopping_) {
        return;
      }
      notified_ = false;
      gather(lock);
    }
    auto folded = step();
    note(folded);
    if (folded.ok() && sync_is_due()) {
      if (auto synced = sync_once(); !synced.ok()) {
        folded = synced.error();
        note(folded);
      }
    }
    std::unique_lock lock(mutex_);
    if (!folded.ok()) {
      wake_.wait_for(lock, pause_after_failure, [this] { return stopping_; });
    }
    notified_ = notified_ || delta_.last_sequence() > engine_.cursor();
  }
}

void Folder::gather(std::unique_lock<std::mutex>& lock) {
  const auto waiting = [this] { return delta_.last_sequence() - engine_.cursor(); };
  std::uint64_t least = 0;
  for (int i = 0; i < gathers_most && !stopping_ && waiting() >= least && waiting() < gather_rows;
       ++i) {
    wake_.wait_for(lock, gather_for, [this] { return stopping_; });
    least = gather_rows_load;
  }
}

/// Damage keeps the journal as it is and the store to reading, until a fold succeeds.
void Folder::note(const Result<bool>& folded) {
  {
    std::lock_guard lock(error_mutex_);
    error_ = folded.ok() ? std::string() : folded.error().text();
  }
  const bool damaged = !folded.ok() && folded.error().code() == Code::data_loss;
  if (damaged || folded.ok()) {
    damage_.store(damaged ? folded.error().page() : 0, std::memory_order_release);
  }
}

std::string Folder::error() const {
  std::lock_guard lock(error_mutex_);
  return error_;
}

Result<bool> Folder::step() {
  std::lock_guard lock(step_mutex_);
  const auto rows = delta_.oldest(fold_rows_max, fold_bytes_max);
  if (rows.empty()) {
    return false;
  }
  const Fold fold = make_fold(rows);
  auto folded =
      engine_.fold(fold, [this](const std::string& key, const std::vector<std::string>& chunks) {
        return pack_closed(sealer_, key, chunks);
      });
  if (!folded.ok()) {
    return std::move(folded).error();
  }
  for (const JournalRow& row : rows) {
    folded_bytes_ += row.body_bytes;
  }
  gate_.drain();
  delta_.drop(fold.through);
  return true;
}

bool Folder::sync_is_due() {
  const std::lock_guard lock(step_mutex_);  // a removal folds too, on another thread
  return folded_bytes_ >= sync_bytes ||
         (folded_bytes_ > 0 && clock_.instant() - synced_at_ >= sync_after);
}

Result<void> Folder::sync() {
  std::lock_guard lock(step_mutex_);
  auto durable = engine_.sync_tables();
  if (!durable.ok()) {
    return std::move(durable).error();
  }
  AIOS_FAILPOINT("tables.synced");
  folded_bytes_ = 0;
  synced_at_ = clock_.instant();
  if (pins_ == 0) {
    options_.truncate_to(*durable);
  }
  return {};
}

/// A disk that failed is not asked a second time: the answer would be a lie.
Result<void> Folder::sync_once() {
  auto synced = sync();
  if (!synced.ok() && synced.error().code() == Code::data_loss) {
    options_.on_fatal(synced.error().text());
  }
  return synced;
}

Result<void> Folder::drain() {
  for (;;) {
    auto folded = step();
    note(folded);
    if (!folded.ok()) {
      return std::move(folded).error();
    }
    if (!*folded) {
      return {};
    }
  }
}

Result<void> Folder::stop() {
  if (std::exchange(stopped_, true)) {
    return {};
  }
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) {
    thread_.join();
  }
  auto folded = drain();
  return folded.ok() ? sync() : folded;
}

/// A closed stream that is written again stands in the delta first: its row would be taken for one
/// that nobody needs, and come back without its history. So what was committed until now is folded
/// before, which ends also while others commit; what they write from then on stays where it is.
Result<Expired> Folder::expire(TableExpiry expiry) {
  const std::uint64_t until_now = delta_.last_sequence();
  while (engine_.cursor() < until_now) {
    auto folded = step();
    note(folded);
    if (!folded.ok()) {
      return std::move(folded).error();
    }
    if (!*folded) {
      break;
    }
  }
  std::lock_guard lock(step_mutex_);
  Leaving::Claim claim(leaving_);
  expiry.claim = claiming(claim);
  return engine_.expire(expiry);
}

/// Nothing is folded meanwhile, so what was written since the tables were read is in the delta.
ClaimStreams Folder::claiming(Leaving::Claim& claim) const {
  return [this, &claim](const std::vector<std::string>& keys) {
    return claim.of(keys,
                    [this](const std::string& key) { return delta_.version(key).has_value(); });
  };
}

Result<Expired> Folder::remove(TableRemoval removal) {
  if (auto folded = drain(); !folded.ok()) {
    return std::move(folded).error();
  }
  std::lock_guard lock(step_mutex_);
  Leaving::Claim claim(leaving_);
  removal.claim = claiming(claim);
  return engine_.remove(removal);
}

void Folder::pin() {
  std::lock_guard lock(step_mutex_);
  ++pins_;
}

void Folder::unpin() {
  std::lock_guard lock(step_mutex_);
  --pins_;
}

}  // namespace aios::store::detail
