// SPDX-License-Identifier: Apache-2.0
#include "app/commands.h"

#include "core/text.h"
#include "store/store.h"

#include <fmt/format.h>
#include <sys/stat.h>

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

/// Works on a directory that a server holds only through that server: here it must be free.
Result<void> backup(const Session& session, const BackupOptions& options) {
  struct stat info{};
  if (::stat((session.target.data + "/journal.db").c_str(), &info) != 0) {  // never make one here
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
  store::StoreOptions store;
  store.directory = session.target.data;
  auto opened = store::open_store(store, runtime::system_clock());
  if (!opened.ok()) {
    return std::move(opened).error().with("opening the data directory for a backup");
  }
  auto copied = (*opened)->backup(options.archive);
  if (!copied.ok()) {
    return copied;
  }
  fmt::print(stderr, "aios: backup written to {}\n", options.archive);
  if (options.keys.empty()) {
    fmt::print(stderr,
               "aios: the backup is sealed and holds no keys; without them it cannot be read. "
               "Export them apart with --keys FILE --passphrase-file FILE.\n");
    return (*opened)->close();
  }
  auto exported = (*opened)->export_keys(options.keys, passphrase);
  if (!exported.ok()) {
    return exported;
  }
  fmt::print(stderr, "aios: keys written to {}, sealed by the passphrase; keep them elsewhere\n",
             options.keys);
  return (*opened)->close();
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
  auto* make =
      app.add_subcommand("backup", "Copy the data directory into one archive (keys apart)");
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
