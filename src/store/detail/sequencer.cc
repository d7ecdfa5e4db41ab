// SPDX-License-Identifier: Apache-2.0
#include "store/detail/sequencer.h"

#include "core/failpoint.h"

#include <fmt/format.h>

#include <algorithm>

namespace aios::store::detail {
namespace {

constexpr std::size_t queue_max = 65'536;
constexpr Duration idle_tick = std::chrono::milliseconds(500);
constexpr Duration retry_after_load = std::chrono::seconds(1);  // tables take up thousands in it
constexpr std::uint32_t truncated_rows_extra = 64;  // a batch removes twice what it adds and this
constexpr std::uint32_t truncated_rows_idle = 4096;
constexpr int page_damaged = 410;
constexpr int page_disk = 421;

Error store_closed() { return Error(Code::unavailable, "the store is closed").page(407); }

Error disk_full() {
  return Error(Code::resource_exhausted,
               "the disk is full, the store is read-only until there is space", Retry::same_call)
      .page(405)
      .after(idle_tick);
}

bool writes_any(const std::vector<std::unique_ptr<Submission>>& batch,
                const std::unordered_set<std::string>& keys) {
  return std::any_of(batch.begin(), batch.end(), [&](const auto& submission) {
    const auto& streams = submission->record->streams;
    return std::any_of(streams.begin(), streams.end(),
                       [&](const RecordStream& stream) { return keys.contains(stream.key); });
  });
}

}  // namespace

/// Outlives the sequencer in work that an executor still holds.
struct Sequencer::Inline {
  std::recursive_mutex mutex;  // an answer may submit again
  Sequencer* self = nullptr;
  bool scheduled = false;
  bool running = false;

  void flush() {
    std::lock_guard lock(mutex);
    scheduled = false;
    if (self == nullptr || running) {
      return;
    }
    running = true;
    for (;;) {
      Batch batch;
      {
        std::lock_guard queue_lock(self->mutex_);
        batch = self->take();
      }
      if (batch.empty()) {
        break;
      }
      self->process(std::move(batch));
    }
    running = false;
  }
};

Sequencer::Sequencer(Engine& engine, Delta& delta, ReadGate& gate, Leaving& leaving,
                     runtime::Clock& clock)
    : engine_(engine),
      delta_(delta),
      gate_(gate),
      leaving_(leaving),
      clock_(clock) {}

Sequencer::~Sequencer() { stop(); }

void Sequencer::start(SequencerOptions options) {
  options_ = std::move(options);
  sequence_ = delta_.last_sequence();
  truncated_ = sequence_;
  // Rows that a crash left are cut from the oldest on; unread, they wait for the next start.
  if (auto oldest = engine_.journal(0, 1); oldest.ok() && !oldest->empty()) {
    truncated_ = oldest->front().sequence - 1;
  }
  if (options_.own_thread) {
    thread_ = std::thread([this] { run(); });
  } else {
    inline_ = std::make_shared<Inline>();
    inline_->self = this;
  }
}

std::optional<Error> Sequencer::refuse_by_load() {
  if (const int page = options_.damage ? options_.damage() : 0) {
    const bool disk = page == page_disk;
    return Error(Code::resource_exhausted,
                 fmt::format("{}, the store is read-only until they can be written",
                             disk ? "the disk fails under the tables" : "the tables are damaged"),
                 Retry::same_call)
        .page(disk ? page_disk : page_damaged)
        .after(retry_after_load);
  }
  if (delta_.bytes() > options_.delta_bytes_max) {
    return Error(Code::resource_exhausted,
                 fmt::format("{} bytes wait to be folded, the bound is {}", delta_.bytes(),
                             options_.delta_bytes_max),
                 Retry::same_call)
        .page(404)
        .after(retry_after_load);
  }
  if (queue_.size() >= queue_max) {
    return Error(Code::resource_exhausted,
                 fmt::format("{} transitions wait to be written", queue_max), Retry::same_call)
        .page(404)
        .after(retry_after_load);
  }
  if (read_only_.load(std::memory_order_relaxed) && clock_.instant() < probe_at_) {
    return disk_full();
  }
  return std::nullopt;
}

Result<void> Sequencer::submit(std::unique_ptr<Submission> submission) {
  bool wake = false;
  {
    std::lock_guard lock(mutex_);
    if (stopping_) {
      return store_closed();
    }
    if (auto refused = refuse_by_load()) {
      return *std::move(refused);
    }
    queue_.push_back(std::move(submission));
    wake = queue_.size() >= wanted_;
  }
  if (!inline_) {
    if (wake) {
      wake_.notify_one();
    }
    return {};
  }
  auto state = inline_;
  std::unique_lock lock(state->mutex);
  if (runtime::Executor* executor = runtime::Executor::current()) {
    if (!std::exchange(state->scheduled, true)) {
      executor->post(std::function<void()>([state] { state->flush(); }));
    }
    return {};
  }
  lock.unlock();
  state->flush();
  return {};
}

void Sequencer::stop() {
  {
    std::lock_guard lock(mutex_);
    if (std::exchange(stopping_, true)) {
      return;
    }
  }
  wake_.notify_one();
  if (thread_.joinable()) {
    thread_.join();
  }
  if (inline_) {
    inline_->flush();
    std::lock_guard lock(inline_->mutex);
    inline_->self = nullptr;
  }
}

void Sequencer::run() {
  for (;;) {
    Batch batch;
    {
      std::unique_lock lock(mutex_);
      wait_for_group(lock);
      wanted_ = 1;
      wake_.wait_for(lock, idle_tick, [this] { return !queue_.empty() || stopping_; });
      if (queue_.empty() && stopping_) {
        return;
      }
      batch = take();
      if (batch.empty()) {
        group_.written(0, 0);  // whoever comes after a pause is not held up for those before it
      }
    }
    if (batch.empty()) {
      idle_work();
    } else {
      process(std::move(batch));
    }
  }
}

// Who comes when nobody is waited for is written at once.
void Sequencer::wait_for_group(std::unique_lock<std::mutex>& lock) {
  if (delta_.bytes() >
      options_.delta_bytes_max / 4 * 3) {  // let folding catch up before commits are refused
    wanted_ = options_.batch_max;
    wake_.wait_for(lock, 4 * options_.group_window_max, [&] { return stopping_; });
    return;
  }
  const std::size_t expected = std::min<std::size_t>(group_.callers(), options_.batch_max);
  if (expected <= 1) {
    return;
  }
  wanted_ = expected;
  wake_.wait_for(lock, group_.window(options_.group_window_max),
                 [&] { return queue_.size() >= expected || stopping_; });
}

Sequencer::Batch Sequencer::take() {
  Batch batch;
  const std::size_t size = std::min<std::size_t>(queue_.size(), options_.batch_max);
  batch.reserve(size);
  for (std::size_t i = 0; i < size; ++i) {
    batch.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  return batch;
}

void Sequencer::process(Batch batch) {
  Staged staged;
  std::vector<Result<Committed>> answers;
  std::vector<JournalRow> rows;
  Result<void> written;
  {
    const Leaving::Batch in_hand(leaving_, [&](const std::unordered_set<std::string>& keys) {
      return writes_any(batch, keys);
    });
    rows = accept(batch, &answers, &staged);
    if (!rows.empty()) {
      written = write(rows);
    }
    if (!written.ok() && written.error().code() == Code::resource_exhausted) {
      written = std::move(written).error().after(idle_tick);
    }
    if (written.ok()) {
      publish(rows, std::move(staged));
    } else {
      write_failed(written.error());
    }
  }
  {
    std::lock_guard lock(mutex_);
    group_.written(batch.size(), queue_.size());
  }
  answer(std::move(batch), std::move(answers), written);
  if (!rows.empty() && written.ok() && options_.on_batch) {
    options_.on_batch();
  }
}

/// The rows of what holds its preconditions; every submission gets its answer.
std::vector<JournalRow> Sequencer::accept(Batch& batch, std::vector<Result<Committed>>* answers,
                                          Staged* staged) {
  std::vector<JournalRow> rows;
  answers->reserve(batch.size());
  rows.reserve(batch.size());
  const Time now = clock_.now();
  {
    ReadGate::Pass pass(gate_);
    for (auto& submission : batch) {
      answers->push_back(evaluate(*submission, *staged, sequence_ + rows.size() + 1));
      if (answers->back().ok()) {
        rows.push_back({answers->back()->sequence, now, answers->back()->first_leaf,
                        submission->record, std::move(submission->body), 0});
      }
    }
  }
  for (JournalRow& row : rows) {
    add_checksum(row);
  }
  return rows;
}

// Keys go back before the answer, so that whoever asks again finds them.
void Sequencer::answer(Batch batch, std::vector<Result<Committed>> answers,
                       const Result<void>& written) {
  for (std::size_t i = 0; i < batch.size(); ++i) {
    for (Keyring::Hold& hold : batch[i]->holds) {
      if (written.ok() && answers[i].ok()) {
        hold.committed();
      }
    }
    batch[i]->holds.clear();
    batch[i]->done.set(written.ok() ? std::move(answers[i]) : Result<Committed>(written.error()));
  }
}

Result<void> Sequencer::write(const std::vector<JournalRow>& rows) {
  AIOS_FAILPOINT("journal.before_write");
  if (auto appended = engine_.append(rows); !appended.ok()) {
    return appended;
  }
  const std::uint64_t target = truncate_target_.load(std::memory_order_relaxed);
  if (target > truncated_) {
    const std::uint64_t through =
        std::min<std::uint64_t>(target, truncated_ + 2 * rows.size() + truncated_rows_extra);
    if (auto cut = engine_.truncate(through); !cut.ok()) {
      return cut;
    }
    truncated_ = through;
  }
  AIOS_FAILPOINT("journal.before_sync");
  auto synced = engine_.sync();
  syncs_.fetch_add(1, std::memory_order_relaxed);
  return synced;
}

void Sequencer::publish(const std::vector<JournalRow>& rows, Staged staged) {
  if (rows.empty()) {
    return;
  }
  read_only_.store(false, std::memory_order_relaxed);
  {
    std::lock_guard lock(balances_mutex_);
    for (auto& [account, balance_nano] : staged.budgets) {
      balances_.insert_or_assign(account, balance_nano);
    }
  }
  for (auto& [tenant, next] : staged.leaves) {
    next_leaf_.insert_or_assign(tenant, next);
  }
  sequence_ = rows.back().sequence;
  delta_.apply(rows);
  batches_.fetch_add(1, std::memory_order_relaxed);
  AIOS_FAILPOINT("commit.before_answer");
}

void Sequencer::write_failed(const Error& error) {
  if (error.code() == Code::data_loss || error.code() == Code::failed_precondition) {
    options_.on_fatal(error.text());
  }
  if (error.code() == Code::resource_exhausted) {
    std::lock_guard lock(mutex_);
    read_only_.store(true, std::memory_order_relaxed);
    probe_at_ = clock_.instant() + idle_tick;
  }
}

void Sequencer::idle_work() {
  if (auto whole = engine_.journal_health(); !whole.ok()) {
    write_failed(whole.error());
    return;
  }
  if (read_only_.load(std::memory_order_relaxed) && engine_.has_space()) {
    read_only_.store(false, std::memory_order_relaxed);
  }
  const std::uint64_t target = truncate_target_.load(std::memory_order_relaxed);
  if (target > truncated_) {
    const std::uint64_t through = std::min(target, truncated_ + truncated_rows_idle);
    auto cut = engine_.truncate(through);
    if (cut.ok()) {
      cut = engine_.sync();
      syncs_.fetch_add(1, std::memory_order_relaxed);
    }
    if (cut.ok()) {
      truncated_ = through;
    } else {
      write_failed(cut.error());
    }
  }
}

void Sequencer::truncate_now() {
  auto cut = engine_.truncate(truncate_target_.load(std::memory_order_relaxed));
  if (cut.ok()) {
    cut = engine_.sync();
  }
  if (!cut.ok()) {
    write_failed(cut.error());
  }
}

void Sequencer::fill(StoreStats& stats) const {
  stats.batches = batches_.load(std::memory_order_relaxed);
  stats.syncs = syncs_.load(std::memory_order_relaxed);
  stats.read_only = read_only_.load(std::memory_order_relaxed);
}

}  // namespace aios::store::detail
