// SPDX-License-Identifier: Apache-2.0
#include "disk.h"

#include "core/test/folder.h"
#include "runtime/executor.h"
#include "store/memory.h"
#include "store/single_thread.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

namespace aios::sim {
namespace {

store::StoreOptions options_of(const std::string& engine) {
  store::StoreOptions out;
  out.engine = engine;
  out.root_key = std::string(32, 'k');
  return out;
}

class MemoryKind final : public Disk {
 public:
  Result<std::unique_ptr<store::Store>> open(runtime::Clock& clock) override {
    return store::open_memory_store(options_of("memory"), disk_, store::MemoryThreads::inline_,
                                    clock);
  }
  void crash() override {
    disk_->crash();
    disk_->set_full(false);
  }
  void set_full(bool full) override { disk_->set_full(full); }
  void threaten(std::uint64_t /*dice*/) override {}  // a batch is written in one piece there
  void calm() override {}
  bool ended() const override { return false; }

 private:
  std::shared_ptr<store::MemoryDisk> disk_ = std::make_shared<store::MemoryDisk>();
};

/// The databases of a directory that nothing was written to yet. They are made, synced and named by
/// calls to the kernel, so before SQLite's files are those of the simulation; cuts in the middle of
/// that are for tests/crash/power.py.
std::map<std::string, std::string> new_databases() {
  const test::Folder folder;
  auto options = options_of("sqlite");
  options.directory = folder.at("data");
  {
    auto opened = store::open_single_thread_store(options, 0, runtime::system_clock());
    AIOS_ASSERT(opened.ok());
  }
  std::map<std::string, std::string> out;
  for (const auto& entry : std::filesystem::directory_iterator(options.directory)) {
    const std::string name = entry.path().filename().string();
    if (name.ends_with(".db") || name.ends_with(".db-wal")) {
      std::ifstream file(entry.path(), std::ios::binary);
      out[name] = {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    }
  }
  return out;
}

class SqliteKind final : public Disk {
 public:
  explicit SqliteKind(std::uint64_t seed) : files_(seed, databases()) {}

  Result<std::unique_ptr<store::Store>> open(runtime::Clock& clock) override {
    auto options = options_of("sqlite");
    options.directory = files_.directory();
    options.on_fatal = [this, life = life_](const std::string& /*why*/) {
      if (life == life_) {  // not one that is dead already
        files_.end();
      }
    };
    const auto failed = files_.count().failed_syncs;
    auto opened = store::open_single_thread_store(options, log_bytes_max, clock);
    if (!opened.ok() && files_.count().failed_syncs != failed) {
      files_.end();  // a server that its disk fails while it starts says so and ends
    }
    return opened;
  }
  void crash() override {
    ++life_;
    files_.crash();
  }
  void set_full(bool full) override { files_.set_full(full); }
  void threaten(std::uint64_t dice) override {
    const std::uint64_t when = dice / 8;
    switch (dice % 8) {
      case 0: files_.fail_sync_at(when % 6 + 1); break;
      case 1:
      case 2: files_.crash_behind_sync(when % 8 + 1); break;
      default: files_.crash_at(when % 60 + 1); break;
    }
  }
  void calm() override {
    files_.crash_at(0);
    files_.crash_behind_sync(0);
    files_.fail_sync_at(0);
  }
  bool ended() const override { return files_.ended(); }
  FilesCount count() const override { return files_.count(); }

 private:
  static const std::map<std::string, std::string>& databases() {
    static const std::map<std::string, std::string> made = new_databases();
    return made;
  }
  /// Small, so that a history of a few hundred commits has its log copied several times.
  static constexpr std::uint64_t log_bytes_max = std::uint64_t{64} << 10;
  SimFiles files_;
  std::uint64_t life_ = 0;
};

}  // namespace

std::unique_ptr<Disk> make_disk(Kind kind, std::uint64_t seed) {
  if (kind == Kind::sqlite) {
    return std::make_unique<SqliteKind>(seed);
  }
  return std::make_unique<MemoryKind>();
}

}  // namespace aios::sim
