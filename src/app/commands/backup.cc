// SPDX-License-Identifier: Apache-2.0
#include "app/commands.h"

#include "core/text.h"
#include "store/store.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace aios::app {
namespace {

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

Result<void> move_to(const std::string& from, const std::string& path) {
  struct stat info{};
  if (::stat(path.c_str(), &info) == 0) {
    return Error(Code::already_exists,
                 fmt::format("'{}' is there; the new file is '{}'", path, from))
        .page(1408);
  }
  if (::rename(from.c_str(), path.c_str()) != 0) {
    return Error(Code::unavailable,
                 fmt::format("'{}' cannot be moved to '{}': {}", from, path, std::strerror(errno)))
        .page(1408);
  }
  return {};
}

/// A server that holds the directory makes the copy itself, in a directory beside the archive; what
/// it wrote is then given the names that were asked for.
Result<void> backup_by_server(const Session& session, const BackupOptions& options,
                              const std::string& passphrase) {
  const std::string beside = std::filesystem::absolute(options.archive).string() + ".making";
  JsonObject body{{"directory", beside}};
  if (!passphrase.empty()) {
    body["passphrase"] = passphrase;
  }
  auto made = session.call({"POST", "/api/v1/operate/backup", std::move(body)});
  if (!made.ok()) {
    return std::move(made).error().with("asking the server for a backup");
  }
  auto moved = move_to(std::string(text_or(*made, "archive", "")), options.archive);
  if (moved.ok() && !passphrase.empty()) {
    moved = move_to(std::string(text_or(*made, "keys", "")), options.keys);
  }
  if (moved.ok()) {
    ::rmdir(beside.c_str());
  }
  return moved;
}

void tell(const BackupOptions& options) {
  fmt::print(stderr, "aios: backup written to {}\n", options.archive);
  if (options.keys.empty()) {
    fmt::print(stderr,
               "aios: the backup is sealed and holds no keys; without them it cannot be read. "
               "Export them apart with --keys FILE --passphrase-file FILE.\n");
  } else {
    fmt::print(stderr, "aios: keys written to {}, sealed by the passphrase; keep them elsewhere\n",
               options.keys);
  }
}

Result<void> backup_here(const Session& session, const BackupOptions& options,
                         const std::string& passphrase) {
  store::StoreOptions store;
  store.directory = session.target.data;
  auto opened = store::open_store(store, runtime::system_clock());
  if (!opened.ok()) {
    return std::move(opened).error().with("opening the data directory for a backup");
  }
  auto copied = (*opened)->backup(options.archive);
  if (copied.ok() && !passphrase.empty()) {
    copied = (*opened)->export_keys(options.keys, passphrase);
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
  std::string passphrase;
  if (!options.keys.empty()) {  // before anything is written
    auto given = passphrase_of(options);
    if (!given.ok()) {
      return std::move(given).error();
    }
    passphrase = std::move(*given);
  }
  auto done = session.target.server.empty() ? backup_here(session, options, passphrase)
                                            : backup_by_server(session, options, passphrase);
  if (!done.ok() && done.error().page() == page_directory_held) {
    done = backup_by_server(session, options, passphrase);
  }
  if (done.ok()) {
    tell(options);
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
  fmt::print(stderr, "aios: restored into {}\n", session.target.data);
  return {};
}

}  // namespace

void add_backup_commands(CLI::App& app, Session& session) {
  auto options = std::make_shared<BackupOptions>();
  auto* make = app.add_subcommand(
      "backup", "Copy the data directory into one archive (keys apart), also while a server runs");
  make->add_option("archive", options->archive, "File to write")->required();
  auto* keys = make->add_option("--keys", options->keys, "File for the sealed keystore");
  auto* phrase = make->add_option("--passphrase-file", options->passphrase_file,
                                  "File with the passphrase that seals the keys");
  keys->needs(phrase);
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
