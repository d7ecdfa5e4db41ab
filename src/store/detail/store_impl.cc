// SPDX-License-Identifier: Apache-2.0
#include "store/detail/store_impl.h"

#include "core/last_words.h"
#include "store/detail/history.h"
#include "store/detail/keys_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

namespace aios::store::detail {
namespace {

constexpr std::uint32_t replay_rows = 2048;
constexpr std::size_t blocking_threads = 2;

void print_and_abort(const std::string& what) {
  last_words(fmt::format("aios: the store stops at once: {}\n", what));
  std::abort();
}

/// That the rows follow one another, the first of all where the tables end at the latest.
Result<void> check_order(const std::vector<JournalRow>& rows, std::uint64_t before,
                         std::uint64_t cursor) {
  std::uint64_t last = before != 0 ? before : std::min(rows.front().sequence - 1, cursor);
  for (const JournalRow& row : rows) {
    if (row.sequence != last + 1) {
      return Error(Code::data_loss,
                   fmt::format("the journal lacks rows: row {} follows row {}", row.sequence, last))
          .page(426);
    }
    last = row.sequence;
  }
  return {};
}

/// That nothing is missing behind the last row.
Result<void> check_end(Engine& engine) {
  if (engine.cursor() >= engine.last_sequence()) {
    return {};
  }
  return Error(
             Code::data_loss,
             fmt::format("the journal lacks rows: it came up to row {}, the tables hold what came "
                         "up to {}, and no row is between them",
                         engine.last_sequence(), engine.cursor()))
      .page(426);
}

/// Folds the journal's rows that the tables lack, straight from the disk. Reads also those that the
/// tables have: a row whose place is damaged may stand among them.
Result<void> replay(Engine& engine, Sealer& sealer) {
  std::uint64_t last = 0;
  for (;;) {
    auto rows = engine.journal(last, replay_rows);
    if (!rows.ok()) {
      return std::move(rows).error();
    }
    if (rows->empty()) {
      return check_end(engine);
    }
    if (auto whole = check_order(*rows, last, engine.cursor()); !whole.ok()) {
      return whole;
    }
    last = rows->back().sequence;
    std::erase_if(*rows, [&](const JournalRow& row) { return row.sequence <= engine.cursor(); });
    if (rows->empty()) {
      continue;
    }
    for (JournalRow& row : *rows) {
      auto record = record_of(row);
      if (!record.ok()) {
        return std::move(record).error();
      }
      row.record = std::make_shared<const Record>(*std::move(record));
    }
    auto folded = engine.fold(make_fold(*rows),
                              [&](const std::string& key, const std::vector<std::string>& chunks) {
                                return pack_closed(sealer, key, chunks);
                              });
    if (!folded.ok()) {
      return folded;
    }
  }
}

}  // namespace

StoreImpl::StoreImpl(OpenParts parts, std::unique_ptr<Keyring> keyring, runtime::Clock& clock)
    : options_(std::move(parts.options)),
      own_threads_(parts.own_threads),
      clock_(clock),
      engine_(std::move(parts.engine)),
      keyring_(std::move(keyring)),
      sealer_(*keyring_),
      delta_(engine_->cursor()),
      folder_(*engine_, delta_, gate_, leaving_, sealer_, clock_),
      sequencer_(*engine_, delta_, gate_, leaving_, clock_) {
  keyring_->set_finder(
      [this](const std::string& tenant, const Fingerprint& subject) -> Result<std::uint64_t> {
        ReadGate::Pass pass(gate_);
        auto stored = engine_->assigned_key(tenant, subject);
        if (!stored.ok()) {
          return stored;
        }
        return std::max(*stored, delta_.assigned_key(tenant, subject).value_or(0));
      });
}

StoreImpl::~StoreImpl() { (void)close(); }

void StoreImpl::start(std::uint64_t durable) {
  const auto on_fatal = options_.on_fatal ? options_.on_fatal : print_and_abort;
  SequencerOptions writing;
  writing.own_thread = own_threads_;
  writing.group_window_max = options_.group_window_max;
  writing.batch_max = std::max<std::uint32_t>(options_.batch_max, 1);
  writing.delta_bytes_max = options_.delta_bytes_max;
  writing.on_batch = [this] { folder_.notify(); };
  writing.damage = [this] { return folder_.damage(); };
  writing.on_fatal = on_fatal;
  FolderOptions folding;
  folding.own_thread = own_threads_;
  folding.truncate_to = [this](std::uint64_t sequence) { sequencer_.truncate_to(sequence); };
  folding.on_fatal = on_fatal;
  if (own_threads_) {
    keyring_->fill_ahead();
    pool_.emplace(blocking_threads);
  }
  sequencer_.truncate_to(durable);
  folder_.start(std::move(folding));
  sequencer_.start(std::move(writing));
}

Result<void> StoreImpl::backup(const std::string& archive_path) {
  std::lock_guard lock(copying_mutex_);
  if (auto refused = refuse(Context())) {
    return *std::move(refused);
  }
  folder_.pin();
  auto done = engine_->backup(archive_path);
  folder_.unpin();
  return done;
}

Result<void> StoreImpl::export_keys(const std::string& path, const std::string& passphrase) {
  if (auto refused = refuse(Context())) {
    return *std::move(refused);
  }
  auto image = engine_->keystore().image();
  if (!image.ok()) {
    return std::move(image).error();
  }
  auto files = read_kept_secrets(options_.directory);
  if (!files.ok()) {
    return std::move(files).error();
  }
  // A root key that was given to us stays with whoever gave it.
  return write_keys_file(path, passphrase,
                         {*std::move(image), options_.root_key.empty() ? keyring_->root_key() : "",
                          *std::move(files)});
}

StoreStats StoreImpl::stats() const {
  StoreStats stats;
  sequencer_.fill(stats);
  stats.damaged = folder_.damage() != 0;
  stats.sequence = delta_.last_sequence();
  stats.folded = engine_->cursor();
  stats.delta_bytes = delta_.bytes();
  stats.delta_bytes_max = options_.delta_bytes_max;
  stats.fold_error = folder_.error();
  return stats;
}

Result<void> StoreImpl::close() {
  if (closed_.exchange(true)) {
    return {};
  }
  std::lock_guard lock(copying_mutex_);
  sequencer_.stop();
  auto folded = folder_.stop();
  if (folded.ok()) {
    sequencer_.truncate_now();
  }
  if (pool_) {
    pool_->stop();
  }
  keyring_->stop_filling();
  auto closed = engine_->close();
  return folded.ok() ? closed : folded;
}

Result<std::unique_ptr<Store>> open_parts(OpenParts parts, runtime::Clock& clock) {
  auto keyring = Keyring::open(parts.engine->keystore(), parts.root_key);
  if (!keyring.ok()) {
    return std::move(keyring).error();
  }
  {
    Sealer sealer(**keyring);
    if (auto replayed = replay(*parts.engine, sealer); !replayed.ok()) {
      return std::move(replayed).error();
    }
  }
  auto durable = parts.engine->sync_tables();
  if (!durable.ok()) {
    return std::move(durable).error();
  }
  auto store = std::make_unique<StoreImpl>(std::move(parts), *std::move(keyring), clock);
  store->start(*durable);
  return std::unique_ptr<Store>(std::move(store));
}

}  // namespace aios::store::detail
