// SPDX-License-Identifier: Apache-2.0
#include "store/detail/sqlite_engine.h"

#include "core/crypto.h"
#include "store/detail/sqlite_identity.h"

#include <fmt/format.h>
#include <unistd.h>

namespace aios::store::detail {
namespace {

constexpr std::size_t root_key_bytes = 32;
constexpr std::size_t probe_bytes = std::size_t{1} << 20;

bool is_blob_name(const std::string& name) {
  return name.size() == 5 + 64 && name.starts_with("blob_") &&
         name.find_first_not_of("0123456789abcdef", 5) == std::string::npos;
}

/// The directory's root key, made at first use, 0600.
Result<std::string> directory_root_key(const DirectoryLayout& layout) {
  if (!exists(layout.root_key())) {
    if (exists(layout.keystore())) {
      return Error(Code::permission_denied,
                   fmt::format("'{}' is missing, its keystore is there", layout.root_key()))
          .page(411);
    }
    const std::string key = secure_random(root_key_bytes);
    auto written = write_file_durably(layout.root_key(), key);
    return written.ok() ? Result<std::string>(key)
                        : Result<std::string>(std::move(written).error());
  }
  if (auto alone = refuse_open_to_others(layout.root_key()); !alone.ok()) {
    return std::move(alone).error();
  }
  auto key = read_file(layout.root_key(), root_key_bytes);
  if (key.ok() && key->size() != root_key_bytes) {
    return Error(Code::permission_denied,
                 fmt::format("'{}' has {} bytes, wanted {}", layout.root_key(), key->size(),
                             root_key_bytes))
        .page(411);
  }
  return key;
}

}  // namespace

Result<std::unique_ptr<SqliteEngine>> SqliteEngine::open(const std::string& directory,
                                                         const std::string& root_key,
                                                         const JournalLog& log) {
  std::unique_ptr<SqliteEngine> engine(new SqliteEngine({directory}));
  const DirectoryLayout& layout = engine->layout_;
  if (auto ours = refuse_foreign(directory); !ours.ok()) {
    return std::move(ours).error();
  }
  for (const std::string& path : {layout.directory, layout.blobs()}) {
    if (auto made = make_private_directory(path); !made.ok()) {
      return std::move(made).error();
    }
  }
  auto lock = DirectoryLock::take(layout.directory);
  if (!lock.ok()) {
    return std::move(lock).error();
  }
  engine->lock_ = *std::move(lock);
  // Before the keystore's file is made: a root key that is missing beside a keystore must not be
  // made anew.
  auto root = root_key.empty() ? directory_root_key(layout) : Result<std::string>(root_key);
  if (!root.ok()) {
    return std::move(root).error();
  }
  engine->root_key_ = *std::move(root);
  if (auto alone = refuse_open_to_others(layout.keystore()); !alone.ok()) {
    return std::move(alone).error();
  }
  if (auto settled = settle_identity(layout); !settled.ok()) {
    return std::move(settled).error();
  }
  auto keystore = SqliteKeyStore::open(layout.keystore());
  if (!keystore.ok()) {
    return std::move(keystore).error();
  }
  engine->keystore_ = *std::move(keystore);
  auto tables = SqliteTables::open(layout.tables());
  if (!tables.ok()) {
    return std::move(tables).error();
  }
  engine->tables_ = *std::move(tables);
  auto journal = SqliteJournal::open(layout.journal(), log);
  if (!journal.ok()) {
    return std::move(journal).error();
  }
  engine->journal_ = *std::move(journal);
  auto last = engine->journal_->last_sequence();
  if (!last.ok()) {
    return std::move(last).error();
  }
  engine->last_sequence_ = *last;
  auto whole = check_journal_end(layout, *last, engine->tables_->cursor());
  if (whole.ok() && *last > engine->tables_->cursor()) {  // the last end was no orderly one
    whole = engine->tables_->check();
  }
  if (!whole.ok()) {
    return std::move(whole).error();
  }
  return engine;
}

bool SqliteEngine::has_space() {
  const std::string path = layout_.directory + "/space.probe";
  const bool ok = write_file_durably(path, std::string(probe_bytes, '\0')).ok();
  ::unlink(path.c_str());
  return ok;
}

Result<void> SqliteEngine::put_file(const std::string& name, const std::string& bytes) {
  if (!is_blob_name(name)) {
    return Error(Code::invalid_argument, fmt::format("'{}' is not the name of a blob", name))
        .page(406);
  }
  if (auto made = make_private_directory(layout_.blob_directory(name)); !made.ok()) {
    return made;
  }
  if (auto written = write_file_durably(layout_.blob(name), bytes); !written.ok()) {
    return written;
  }
  return sync_directory(layout_.blobs());
}

Result<std::string> SqliteEngine::file(const std::string& name) {
  if (!is_blob_name(name)) {
    return Error(Code::invalid_argument, fmt::format("'{}' is not the name of a blob", name))
        .page(406);
  }
  if (!exists(layout_.blob(name))) {
    return Error(Code::data_loss, fmt::format("blob file '{}' is missing", layout_.blob(name)))
        .page(410);
  }
  return read_file(layout_.blob(name), blob_file_bytes_max);
}

std::uint64_t SqliteEngine::disk_bytes() const {
  std::uint64_t bytes = 0;
  for (const std::string& path : {layout_.journal(), layout_.tables(), layout_.keystore()}) {
    bytes += file_bytes(path) + file_bytes(path + "-wal");
  }
  return bytes;
}

// Reads that are under way keep their connections; those end with the engine.
Result<void> SqliteEngine::close() {
  journal_->close();
  lock_ = DirectoryLock();
  return {};
}

}  // namespace aios::store::detail
