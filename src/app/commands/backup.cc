// SPDX-License-Identifier: Apache-2.0
#include "app/address.h"
#include "app/commands.h"
#include "app/reach.h"
#include "app/terminal.h"
#include "core/crypto.h"
#include "core/text.h"
#include "store/file_io.h"
#include "store/store.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

namespace aios::app {
namespace {

namespace fs = std::filesystem;

struct BackupOptions {
  std::string archive;
  std::string keys;
  std::string passphrase_file;
};

Result<std::string> passphrase_of(const BackupOptions& options) {
  auto text = read_file(options.passphrase_file);
  if (!text.ok()) {
    return text;
  }
  std::string passphrase(trim(*text));
  if (passphrase.size() < 12) {
    return Error(Code::invalid_argument,
                 fmt::format("the passphrase in {} has {} characters, at least 12 are wanted",
                             options.passphrase_file, passphrase.size()))
        .page(1408);
  }
  return passphrase;
}

constexpr int page_directory_held = 409;
constexpr std::size_t folder_name_bytes = 8;

Error refusal(Code code, std::string text) { return Error(code, std::move(text)).page(1417); }

bool is_there(const std::string& path) {
  struct stat info{};
  return ::lstat(path.c_str(), &info) == 0;
}

/// Both files are made in a folder of their own beside the archive, and get the names that were
/// asked for when all is done: what fails leaves nothing behind.
class Making {
 public:
  static Result<Making> begin(const BackupOptions& options) {
    for (const std::string& path : {options.archive, options.keys}) {
      if (!path.empty() && is_there(path)) {
        return refusal(Code::already_exists,
                       fmt::format("'{}' is there already; nothing was written", path));
      }
    }
    std::error_code failed;
    std::string folder = fmt::format("{}.making-{}", fs::absolute(options.archive, failed).string(),
                                     to_hex(secure_random(folder_name_bytes)));
    if (failed || ::mkdir(folder.c_str(), 0700) != 0) {
      return refusal(Code::permission_denied, fmt::format("cannot write beside '{}': {}",
                                                          options.archive, std::strerror(errno)));
    }
    Making making;
    making.folder_ = std::move(folder);
    return making;
  }
  Making() = default;
  Making(Making&& other) noexcept : folder_(std::exchange(other.folder_, "")) {}
  Making& operator=(Making&&) = delete;
  ~Making() {
    std::error_code ignored;
    if (!folder_.empty()) {
      fs::remove_all(folder_, ignored);
    }
  }

  const std::string& folder() const { return folder_; }
  std::string archive() const { return folder_ + "/backup.archive"; }
  std::string keys() const { return folder_ + "/keys.sealed"; }

  Result<void> finish(const BackupOptions& options) const {
    if (!options.keys.empty()) {
      if (auto moved = move_to(keys(), options.keys); !moved.ok()) {
        return moved;
      }
    }
    auto moved = move_to(archive(), options.archive);
    if (!moved.ok() && !options.keys.empty()) {
      ::unlink(options.keys.c_str());
    }
    return moved;
  }

 private:
  /// Never over another file; the keys may go to another disk.
  static Result<void> move_to(const std::string& from, const std::string& path) {
    if (::link(from.c_str(), path.c_str()) == 0) {
      return {};
    }
    const int why = errno;
    if (why == EEXIST || is_there(path)) {
      return not_written(path, "it was made by somebody else meanwhile");
    }
    if (why == ENOENT && !is_there(from)) {
      return not_written(path,
                         fmt::format("the server did not write '{}' on this machine's disk", from));
    }
    if (why == EXDEV) {
      return copy_to(from, path);
    }
    return ::rename(from.c_str(), path.c_str()) == 0 ? Result<void>()  // a disk without hard links
                                                     : not_written(path, std::strerror(errno));
  }

  /// Whole and durable before it has the name.
  static Result<void> copy_to(const std::string& from, const std::string& path) {
    const std::string beside =
        fmt::format("{}.making-{}", path, to_hex(secure_random(folder_name_bytes)));
    std::error_code copying;
    fs::copy_file(from, beside, copying);
    auto done = copying ? not_written(path, copying.message()) : sync(beside, path);
    done = done.ok() ? move_to(beside, path) : done;
    ::unlink(beside.c_str());
    return done;
  }

  static Result<void> sync(const std::string& file, const std::string& path) {
    const store::Descriptor opened(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (opened.get() < 0 || ::fchmod(opened.get(), 0600) != 0 || ::fsync(opened.get()) != 0) {
      return not_written(path, std::strerror(errno));
    }
    return {};
  }

  static Result<void> not_written(const std::string& path, const std::string& why) {
    return refusal(Code::unavailable, fmt::format("'{}' cannot be written: {}", path, why));
  }

  std::string folder_;
};

/// The server writes on its own disk: one elsewhere cannot give us the files.
Result<void> check_is_here(const std::string& server) {
  if (server.empty()) {
    return {};
  }
  auto address = server_address(server);
  if (!address.ok()) {
    return std::move(address).error();
  }
  for (const std::string_view here : {"://127.", "://localhost", "://[::1]"}) {
    if (address->find(here) != std::string::npos) {
      return {};
    }
  }
  return refusal(
      Code::failed_precondition,
      fmt::format("the server {} writes a backup on its own disk, which is not this one's",
                  *address));
}

/// A server that holds the directory makes the copy itself.
Result<void> backup_by_server(const Session& session, const Making& making,
                              const std::string& passphrase) {
  JsonObject body{{"directory", making.folder()}};
  if (!passphrase.empty()) {
    body["passphrase"] = passphrase;
  }
  auto made = session.call({"POST", std::string(backup_path), std::move(body)});
  if (!made.ok()) {
    return std::move(made).error().with("asking the server for a backup");
  }
  return {};
}

void report(const BackupOptions& options) {
  tell("aios: backup written to {}\n", options.archive);
  if (options.keys.empty()) {
    tell(
        "aios: the backup is sealed and holds no keys; without them it cannot be read. "
        "Export them apart with --keys FILE --passphrase-file FILE.\n");
  } else {
    tell("aios: keys written to {}, sealed by the passphrase; keep them elsewhere\n", options.keys);
  }
}

Result<void> backup_here(const Session& session, const Making& making,
                         const std::string& passphrase) {
  store::StoreOptions store;
  store.directory = session.target.data;
  auto opened = store::open_store(store, runtime::system_clock());
  if (!opened.ok()) {
    return std::move(opened).error().with("opening the data directory for a backup");
  }
  auto copied = (*opened)->backup(making.archive());
  if (copied.ok() && !passphrase.empty()) {
    copied = (*opened)->export_keys(making.keys(), passphrase);
  }
  return copied.ok() ? (*opened)->close() : copied;
}

Result<void> backup(const Session& session, const BackupOptions& options) {
  struct stat info{};
  if (session.target.server.empty() &&
      ::stat((session.target.data + "/journal.db").c_str(), &info) != 0) {  // never make one here
    return Error(Code::not_found,
                 fmt::format("there is no data directory at '{}' to back up; name it with --data",
                             session.target.data))
        .page(1401);
  }
  if (auto here = check_is_here(session.target.server); !here.ok()) {
    return here;
  }
  std::string passphrase;
  if (!options.keys.empty()) {  // before anything is written
    auto given = passphrase_of(options);
    if (!given.ok()) {
      return std::move(given).error();
    }
    passphrase = std::move(*given);
  }
  auto making = Making::begin(options);
  if (!making.ok()) {
    return std::move(making).error();
  }
  auto done = session.target.server.empty() ? backup_here(session, *making, passphrase)
                                            : backup_by_server(session, *making, passphrase);
  if (!done.ok() && done.error().page() == page_directory_held) {
    done = backup_by_server(session, *making, passphrase);
  }
  if (done.ok()) {
    done = making->finish(options);
  }
  if (done.ok()) {
    report(options);
  }
  return done;
}

Result<void> restore(const Session& session, const BackupOptions& options) {
  auto passphrase = passphrase_of(options);
  if (!passphrase.ok()) {
    return std::move(passphrase).error();
  }
  auto restored =
      store::restore_store(options.archive, options.keys, *passphrase, session.target.data);
  if (!restored.ok()) {
    return restored;
  }
  tell("aios: restored into {}\n", session.target.data);
  return {};
}

}  // namespace

void add_backup_commands(Command& app, Session& session) {
  auto options = std::make_shared<BackupOptions>();
  auto* make = app.add_subcommand(
      "backup", "Copy the data directory into one archive (keys apart), also while a server runs");
  make->add_option("archive", options->archive, "File to write")->required();
  auto* keys = make->add_option("--keys", options->keys, "File for the sealed keystore");
  auto* phrase = make->add_option("--passphrase-file", options->passphrase_file,
                                  "File with the passphrase that seals the keys");
  keys->needs(phrase);
  phrase->needs(keys);
  make->callback([&session, options] {
    session.action = [&session, options] { return backup(session, *options); };
  });

  auto* back = app.add_subcommand("restore", "Build a data directory from a backup and its keys");
  back->add_option("archive", options->archive, "Backup archive")->required();
  back->add_option("--keys", options->keys, "Sealed keystore")->required();
  back->add_option("--passphrase-file", options->passphrase_file, "File with their passphrase")
      ->required();
  back->callback([&session, options] {
    session.action = [&session, options] { return restore(session, *options); };
  });
}

}  // namespace aios::app
