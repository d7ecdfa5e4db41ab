// SPDX-License-Identifier: Apache-2.0
#include "store/detail/sqlite_identity.h"

#include "core/crypto.h"
#include "core/text.h"
#include "store/detail/sqlite_engine.h"
#include "store/detail/sqlite_journal.h"
#include "store/detail/sqlite_keystore.h"
#include "store/detail/sqlite_tables.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <memory>
#include <string_view>
#include <vector>

namespace aios::store::detail {
namespace {

constexpr std::size_t identity_bytes = 16;
constexpr std::string_view in_making = ".new";

struct Part {
  std::string path;
  Result<void> (*create)(Db&) = nullptr;
  int page_bytes = 4096;
  const char* table = "";  ///< without it the file holds nothing
  const char* used = "";   ///< 1 when it holds data
  bool present = false;
  bool empty = true;
  std::string identity = {};
};

std::array<Part, 3> parts_of(const DirectoryLayout& layout) {
  return {
      Part{layout.keystore(), create_keystore, 4096, "tenants",
           "SELECT EXISTS(SELECT 1 FROM tenants)"},
      Part{layout.tables(), create_tables, tables_page_bytes, "cursor",
           "SELECT EXISTS(SELECT 1 FROM cursor WHERE value > 0)"},
      Part{layout.journal(), create_journal, journal_page_bytes, "journal",
           "SELECT EXISTS(SELECT 1 FROM journal) OR EXISTS(SELECT 1 FROM cut WHERE through > 0)"}};
}

Error refusal(std::string text) {
  return Error(Code::failed_precondition, std::move(text)).page(422);
}

Result<void> look_at(Part* part) {
  part->present = exists(part->path);
  if (!part->present) {
    return {};
  }
  auto db = Db::open(part->path, Access::write, part->page_bytes);
  if (!db.ok()) {
    return std::move(db).error();
  }
  const std::string there = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = '";
  auto filled = (*db)->one_integer(there + part->table + "'");
  if (filled.ok() && *filled > 0) {
    filled = (*db)->one_integer(part->used);
  }
  auto named = (*db)->one_integer(there + "identity'");
  if (!filled.ok() || !named.ok()) {
    return filled.ok() ? std::move(named).error() : std::move(filled).error();
  }
  part->empty = *filled == 0;
  if (*named == 0) {
    return {};
  }
  auto query = (*db)->prepare("SELECT value FROM identity");
  auto row = query.step();
  if (!row.ok()) {
    return std::move(row).error();
  }
  part->identity = *row ? std::string(query.bytes(0)) : std::string();
  return {};
}

Result<void> write_identity(Db& db, const std::string& identity) {
  auto done = db.run(
      "CREATE TABLE IF NOT EXISTS identity(one INTEGER PRIMARY KEY CHECK(one = 1),"
      " value TEXT NOT NULL);");
  return done.ok() ? db.prepare("INSERT OR REPLACE INTO identity(one, value) VALUES(1, ?)")
                         .text(1, identity)
                         .run()
                   : done;
}

/// What an earlier making, or a file that is gone, left: SQLite would take it for the new one's.
void clear_away(const std::string& path) {
  for (const char* beside : {"", "-wal", "-shm", "-journal"}) {
    ::unlink((path + beside).c_str());
  }
}

/// The whole file, with all that an empty one has, beside its name.
Result<void> make_beside(const Part& part, const std::string& identity) {
  const std::string path = part.path + std::string(in_making);
  clear_away(path);
  auto db = Db::open(path, Access::make, part.page_bytes);
  if (!db.ok()) {
    return std::move(db).error();
  }
  auto done = part.create(**db);
  done = done.ok() ? write_identity(**db, identity) : done;
  return done.ok() ? (*db)->made() : done;
}

/// Synced together, and each is whole when it gets its name: whatever a cut leaves of them, no file
/// is there in part, and the next start makes what is missing.
Result<void> make_files(const std::vector<Part>& parts, const std::string& identity) {
  std::vector<std::unique_ptr<Descriptor>> files;
  for (const Part& part : parts) {
    if (auto made = make_beside(part, identity); !made.ok()) {
      return made;
    }
    const std::string path = part.path + std::string(in_making);
    files.push_back(std::make_unique<Descriptor>(::open(path.c_str(), O_RDONLY | O_CLOEXEC)));
    if (files.back()->get() < 0) {
      return file_error("opening", path, errno);
    }
    begin_sync(files.back()->get());
  }
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (::fsync(files[i]->get()) != 0) {
      return file_error("syncing", parts[i].path + std::string(in_making), errno);
    }
  }
  for (const Part& part : parts) {
    clear_away(part.path);
    if (::rename((part.path + std::string(in_making)).c_str(), part.path.c_str()) != 0) {
      return file_error("renaming to", part.path, errno);
    }
  }
  return {};
}

Result<void> give(const Part& part, const std::string& identity) {
  auto db = Db::open(part.path, Access::write, part.page_bytes);
  if (!db.ok()) {
    return std::move(db).error();
  }
  auto done = (*db)->run("PRAGMA synchronous=FULL;");
  done = done.ok() ? write_identity(**db, identity) : done;
  if (!done.ok()) {
    return done;
  }
  // Into the file itself: it must still be known there when the log beside it is lost.
  auto copied = (*db)->checkpoint(Db::Checkpoint::truncate);
  return copied.ok() ? Result<void>() : Result<void>(std::move(copied).error());
}

/// Why files of which at least one holds data do not belong together; empty when they do.
std::string mismatch(const std::array<Part, 3>& parts) {
  const Part* whole = nullptr;  // one that holds data, to hold the others against
  for (const Part& part : parts) {
    whole = !part.empty && !part.identity.empty() ? &part : whole;
  }
  for (const Part& part : parts) {
    if (!part.present) {
      return fmt::format("'{}' is missing, the other files of the data directory are there",
                         part.path);
    }
    if (part.identity.empty()) {
      return fmt::format("'{}' has no identity: it was made anew beside the others", part.path);
    }
    if (whole != nullptr && part.identity != whole->identity) {
      return fmt::format("'{}' has identity {}, '{}' has {}: they are of different directories",
                         part.path, part.identity, whole->path, whole->identity);
    }
  }
  return "";
}

constexpr auto data_files =
    std::to_array<std::string_view>({"root.key", "journal.db", "tables.db", "keystore.db"});
// What may be there before those: put by hand, by the file system, or by a start that was cut off.
constexpr auto early_files = std::to_array<std::string_view>(
    {"audit", "audit-signing.key", "blobs", "first-key", "first-key.tmp", "lock", "lost+found",
     "secrets", "server.address", "space.probe"});

bool is_early(std::string_view name) {
  return std::find(early_files.begin(), early_files.end(), name) != early_files.end() ||
         std::any_of(data_files.begin(), data_files.end(), [name](std::string_view file) {
           return name.starts_with(file) && name.substr(file.size()).starts_with(in_making);
         });
}

}  // namespace

Result<void> refuse_foreign(const std::string& directory) {
  namespace fs = std::filesystem;
  std::string foreign;
  std::error_code failed;
  for (fs::directory_iterator it(directory, failed), end; !failed && it != end;
       it.increment(failed)) {
    const std::string name = it->path().filename().string();
    if (std::find(data_files.begin(), data_files.end(), name) != data_files.end()) {
      return {};
    }
    if (!is_early(name)) {
      foreign = name;
    }
  }
  if (foreign.empty()) {  // also when it cannot be read: who makes it says why
    return {};
  }
  return Error(Code::failed_precondition,
               fmt::format("'{}' is no data directory and not empty: '{}' is in it", directory,
                           foreign))
      .page(423);
}

Result<void> settle_identity(const DirectoryLayout& layout) {
  auto parts = parts_of(layout);
  bool empty = true;
  for (Part& part : parts) {
    if (auto looked = look_at(&part); !looked.ok()) {
      return looked;
    }
    empty = empty && part.empty;
  }
  if (!empty) {
    const std::string why = mismatch(parts);
    return why.empty() ? Result<void>() : Result<void>(refusal(why));
  }
  return renew_identity(layout);
}

Result<void> renew_identity(const DirectoryLayout& layout) {
  const std::string identity = to_hex(secure_random(identity_bytes));
  std::vector<Part> missing;
  for (const Part& part : parts_of(layout)) {
    if (!exists(part.path)) {
      missing.push_back(part);
    } else if (auto given = give(part, identity); !given.ok()) {
      return given;
    }
  }
  auto made = make_files(missing, identity);
  return made.ok() ? sync_directory(layout.directory) : made;
}

Result<void> check_journal_end(const DirectoryLayout& layout, std::uint64_t journal_end,
                               std::uint64_t cursor) {
  if (journal_end >= cursor) {
    return {};
  }
  return refusal(
      fmt::format("'{}' ends at {}, '{}' holds what came up to {}: the journal or its "
                  "log (-wal) is older than the tables",
                  layout.journal(), journal_end, layout.tables(), cursor));
}

}  // namespace aios::store::detail
