// SPDX-License-Identifier: Apache-2.0
// Backup: tables, then the journal from their cursor on, then blobs, while the store serves.
// Restore builds a directory from that and from an exported keystore; what the journal holds beyond
// the tables is folded when it is opened.
#include "core/codec.h"
#include "core/crypto.h"
#include "core/text.h"
#include "store/detail/archive.h"
#include "store/detail/keys_file.h"
#include "store/detail/sqlite_engine.h"
#include "store/detail/sqlite_identity.h"
#include "store/restored.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

namespace aios::store::detail {
namespace {

constexpr std::string_view about =
    "A backup of an aios data directory. The keys that open it are not inside: export and keep "
    "them apart.\n";
constexpr std::uint32_t journal_rows = 1024;
constexpr std::size_t journal_frame_bytes = std::size_t{4} << 20;
constexpr std::uint64_t key_ids_skipped = std::uint64_t{1} << 32;
constexpr std::string_view blob_prefix = "blobs/";
constexpr std::size_t folder_name_bytes = 8;

Result<std::uint64_t> cursor_of(const std::string& tables_path) {
  auto db = Db::open(tables_path, Access::read);
  if (!db.ok()) {
    return std::move(db).error();
  }
  auto cursor = (*db)->one_integer("SELECT value FROM cursor");
  return cursor.ok() ? Result<std::uint64_t>(static_cast<std::uint64_t>(*cursor))
                     : Result<std::uint64_t>(std::move(cursor).error());
}

void write_row(Writer& out, const JournalRow& row) {
  out.varint(row.sequence);
  out.zigzag(row.time.ns);
  out.varint(row.first_leaf);
  out.bytes(row.body);
}

Result<void> add_journal(ArchiveWriter& archive, SqliteJournal& journal, std::uint64_t after) {
  std::uint64_t frame = 0;
  Writer out;
  for (;;) {
    auto rows = journal.rows(after, journal_rows);
    if (!rows.ok()) {
      return std::move(rows).error();
    }
    for (const JournalRow& row : *rows) {
      after = row.sequence;
      if (out.data().size() + row.body.size() > journal_frame_bytes) {
        const std::string data = std::exchange(out, Writer()).take();
        if (auto added = archive.add("journal", frame++, data); !added.ok()) {
          return added;
        }
      }
      write_row(out, row);
    }
    if (rows->size() < journal_rows) {
      return archive.add("journal", frame, out.take());
    }
  }
}

Result<void> add_blobs(ArchiveWriter& archive, const std::string& directory) {
  std::error_code failed;
  for (std::filesystem::recursive_directory_iterator it(directory, failed), end;
       !failed && it != end; it.increment(failed)) {
    const std::string name = it->path().filename().string();
    if (it->is_regular_file() && name.starts_with("blob_") && !name.ends_with(".new")) {
      if (auto added = archive.add_file(std::string(blob_prefix) + name, it->path().string());
          !added.ok()) {
        return added;
      }
    }
  }
  return failed ? Result<void>(file_error("reading directory", directory, failed.value()))
                : Result<void>();
}

/// Appends to a file while a member's frames come in; syncs when the next member begins.
class MemberFile {
 public:
  ~MemberFile() { (void)close(); }
  Result<void> write(const std::string& path, const Frame& frame) {
    if (frame.offset == 0) {
      if (auto closed = close(); !closed.ok()) {
        return closed;
      }
      path_ = path;
      fd_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    }
    if (fd_ < 0 || path != path_) {
      return file_error("writing", path, fd_ < 0 ? errno : EINVAL);
    }
    std::string_view rest = frame.data;
    while (!rest.empty()) {
      const ssize_t wrote = ::write(fd_, rest.data(), rest.size());
      if (wrote <= 0) {
        return file_error("writing", path, errno);
      }
      rest.remove_prefix(static_cast<std::size_t>(wrote));
    }
    return {};
  }
  Result<void> close() {
    const int fd = std::exchange(fd_, -1);
    if (fd < 0) {
      return {};
    }
    const bool synced = ::fsync(fd) == 0;
    const int reason = errno;
    ::close(fd);
    return synced ? Result<void>() : Result<void>(file_error("syncing", path_, reason));
  }

 private:
  int fd_ = -1;
  std::string path_;
};

Result<void> restore_journal(Db& journal, const Frame& frame) {
  Reader in(frame.data);
  auto done = journal.run("BEGIN");
  while (done.ok() && !in.at_end()) {
    JournalRow row;
    row.sequence = in.varint();
    row.time.ns = in.zigzag();
    row.first_leaf = in.varint();
    row.body = in.bytes();
    done = in.ok()
               ? check_row(row, "the archive")
               : Result<void>(Error(Code::data_loss, "the archived journal is damaged").page(415));
    done = done.ok() ? insert_row(journal, row) : done;
  }
  return done.ok() ? journal.run("COMMIT") : done;
}

/// The archive has the journal from the tables' cursor on: what is before it was cut.
Result<void> end_journal(Db& journal, const DirectoryLayout& layout) {
  auto cursor = cursor_of(layout.tables());
  auto done = cursor.ok() ? write_cut(journal, *cursor) : Result<void>(std::move(cursor).error());
  return done.ok() ? journal.run("PRAGMA wal_checkpoint(TRUNCATE)") : done;
}

Result<void> restore_frames(const std::string& archive_path, const DirectoryLayout& layout) {
  auto archive = ArchiveReader::open(archive_path);
  if (!archive.ok()) {
    return std::move(archive).error();
  }
  auto journal = Db::open(layout.journal(), Access::write, journal_page_bytes);
  if (!journal.ok()) {
    return std::move(journal).error();
  }
  if (auto made = create_journal(**journal); !made.ok()) {
    return made;
  }
  MemberFile file;
  for (;;) {
    auto frame = archive->next();
    if (!frame.ok()) {
      return std::move(frame).error();
    }
    Result<void> done;
    const std::string blob =
        frame->name.starts_with(blob_prefix) ? frame->name.substr(blob_prefix.size()) : "";
    if (frame->name.empty()) {
      done = file.close();
      return done.ok() ? end_journal(**journal, layout) : done;
    }
    if (frame->name == "tables.db") {
      done = file.write(layout.tables(), *frame);
    } else if (frame->name == "journal") {
      done = restore_journal(**journal, *frame);
    } else if (frame->name == "epoch") {
      Reader in(frame->data);
      done = (*journal)->run(
          fmt::format("INSERT OR REPLACE INTO epoch(one, value) VALUES(1, {})", in.varint()));
    } else if (blob.size() > 7 && blob.find('/') == std::string::npos) {
      done = make_private_directory(layout.blob_directory(blob));
      done = done.ok() ? file.write(layout.blob(blob), *frame) : done;
    } else if (frame->name != "about") {
      done = Error(Code::data_loss,
                   fmt::format("the archive has a member '{}' that this build does not know",
                               frame->name))
                 .page(415);
    }
    if (!done.ok()) {
      return done;
    }
  }
}

Result<void> restore_keys(const KeysFile& keys, const DirectoryLayout& layout) {
  KeyStoreImage image = keys.image;
  // The archive may hold data under keys that were made after the export: their numbers must not be
  // given out again.
  image.next_id += key_ids_skipped;
  auto keystore = SqliteKeyStore::open(layout.keystore());
  if (!keystore.ok()) {
    return std::move(keystore).error();
  }
  if (auto loaded = (*keystore)->load(image); !loaded.ok()) {
    return loaded;
  }
  if (!keys.root_key.empty()) {
    if (auto written = write_file_durably(layout.root_key(), keys.root_key); !written.ok()) {
      return written;
    }
  }
  return write_kept_secrets(layout.directory, keys.files);
}

/// Notes up to where the directory knows what happened: its newest commit, in the tables or still
/// in the journal.
Result<void> note_newest(const DirectoryLayout& layout) {
  std::int64_t newest = 0;
  const std::pair<std::string, const char*> places[] = {
      {layout.tables(), "SELECT max(updated) FROM streams"},
      {layout.journal(), "SELECT max(time) FROM journal"}};
  for (const auto& [path, sql] : places) {
    auto db = Db::open(path, Access::read);
    auto found = db.ok() ? (*db)->one_integer(sql) : Result<std::int64_t>(std::move(db).error());
    if (!found.ok()) {
      return std::move(found).error();
    }
    newest = std::max(newest, *found);
  }
  return note_restored(layout.directory, Time{newest});
}

/// What is made beside "data/" would stand inside of it.
std::string without_end_slash(std::string path) {
  while (path.size() > 1 && path.back() == '/') {
    path.pop_back();
  }
  return path;
}

/// A folder of the restore's own beside its target: what else is there is never touched.
Result<std::string> make_folder_beside(const std::string& directory) {
  std::string folder =
      fmt::format("{}.restoring-{}", directory, to_hex(secure_random(folder_name_bytes)));
  if (::mkdir(folder.c_str(), 0700) != 0) {
    return file_error("making directory", folder, errno);
  }
  return folder;
}

Result<void> build(const std::string& archive_path, const KeysFile& keys,
                   const DirectoryLayout& layout) {
  auto done = make_private_directory(layout.blobs());
  done = done.ok() ? restore_frames(archive_path, layout) : done;
  done = done.ok() ? restore_keys(keys, layout) : done;
  done = done.ok() ? renew_identity(layout) : done;
  done = done.ok() ? note_newest(layout) : done;
  return done.ok() ? sync_directory(layout.directory) : done;
}

}  // namespace

Result<void> SqliteEngine::backup(const std::string& archive_path) {
  auto archive = ArchiveWriter::create(archive_path);
  if (!archive.ok()) {
    return std::move(archive).error();
  }
  const std::string copy = archive_path + ".tables";
  ::unlink(copy.c_str());
  Writer epoch_text;
  epoch_text.varint(epoch());
  auto done = archive->add("about", 0, about);
  done = done.ok() ? archive->add("epoch", 0, epoch_text.data()) : done;
  done = done.ok() ? tables_->copy_to(copy) : done;
  auto cursor = done.ok() ? cursor_of(copy) : Result<std::uint64_t>(std::move(done).error());
  done =
      cursor.ok() ? archive->add_file("tables.db", copy) : Result<void>(std::move(cursor).error());
  for (const char* suffix : {"", "-wal", "-shm"}) {
    ::unlink((copy + suffix).c_str());
  }
  done = done.ok() ? add_journal(*archive, *journal_, *cursor) : done;
  done = done.ok() ? add_blobs(*archive, layout_.blobs()) : done;
  return done.ok() ? archive->finish() : done;
}

}  // namespace aios::store::detail

namespace aios::store {

using namespace detail;

Result<void> restore_store(const std::string& archive_path, const std::string& keys_path,
                           const std::string& passphrase, const std::string& directory) {
  const std::string target = without_end_slash(directory);
  std::error_code ignored;
  if (std::filesystem::exists(target, ignored) && !std::filesystem::is_empty(target, ignored)) {
    return Error(Code::failed_precondition, fmt::format("'{}' is there and not empty", target))
        .page(414);
  }
  auto keys = read_keys_file(keys_path, passphrase);
  if (!keys.ok()) {
    return std::move(keys).error();
  }
  // Built beside and renamed: a restore that failed leaves no directory that looks like one.
  auto folder = make_folder_beside(target);
  if (!folder.ok()) {
    return std::move(folder).error();
  }
  auto done = build(archive_path, *keys, DirectoryLayout{*folder});
  if (done.ok()) {
    std::filesystem::remove(target, ignored);
    if (::rename(folder->c_str(), target.c_str()) != 0) {
      done = file_error("renaming to", target, errno);
    }
  }
  if (!done.ok()) {
    std::filesystem::remove_all(*folder, ignored);
    return std::move(done).error().with(fmt::format("restoring '{}'", archive_path));
  }
  return sync_directory(std::filesystem::absolute(target).parent_path().string());
}

}  // namespace aios::store
