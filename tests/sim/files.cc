// SPDX-License-Identifier: Apache-2.0
#include "files.h"

#include "core/test/folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <map>
#include <vector>

namespace aios::sim {
namespace {

constexpr std::size_t sector_bytes = 512;
constexpr std::size_t path_bytes_max = 512;

std::uint64_t mix(std::uint64_t value) {
  value += 0x9E3779B97F4A7C15ull;
  value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9ull;
  value = (value ^ (value >> 27)) * 0x94D049BB133111EBull;
  return value ^ (value >> 31);
}

std::uint64_t mix(std::uint64_t seed, std::string_view text) {
  for (const char one : text) {
    seed = mix(seed ^ static_cast<unsigned char>(one));
  }
  return seed;
}

/// A write, or (cut) a new length, since the last sync.
struct Change {
  std::size_t at = 0;
  std::string bytes;
  bool cut = false;
};

void write_at(std::string* file, std::size_t at, std::string_view bytes) {
  if (file->size() < at + bytes.size()) {
    file->resize(at + bytes.size(), '\0');
  }
  file->replace(at, bytes.size(), bytes);
}

void put_through(std::string* file, const Change& change) {
  if (change.cut) {
    file->resize(change.at, '\0');
  } else {
    write_at(file, change.at, change.bytes);
  }
}

struct Open;

/// What connections share of a file beside its bytes.
struct Shared {
  std::vector<std::unique_ptr<std::array<char, 32768>>> regions;
};

struct File {
  std::string now, durable;
  std::vector<Change> changes;
  std::vector<Open*> users;
  std::shared_ptr<Shared> shared;
};

enum class Fate : std::uint8_t { none_survive, all_survive, first_survive, sectors };

}  // namespace

struct SimFiles::Impl {
  explicit Impl(std::uint64_t given) : seed(given), random(given) {}

  std::uint64_t seed;
  std::uint64_t random;
  std::uint64_t crashes = 0;
  std::uint64_t generation = 1;
  bool ended = false;
  bool full = false;
  std::uint64_t crash_at = 0, crash_behind = 0, fail_sync_at = 0;
  FilesCount count;
  aios::test::Folder scratch;
  std::string directory;
  std::map<std::string, std::shared_ptr<File>> files;  // by name
  sqlite3_vfs vfs{};

  void make_directory() {
    directory = scratch.at(fmt::format("g{}", generation));
    std::filesystem::create_directory(directory);
    std::filesystem::permissions(directory, std::filesystem::perms::owner_all);
    for (const auto& [name, file] : files) {
      if (name.ends_with(".db")) {  // the store asks the real file system whether they are there
        ::close(::open((directory + "/" + name).c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
      }
    }
  }

  /// False: the power is gone, before this call.
  bool tick() {
    if (crash_at > 0 && --crash_at == 0) {
      ended = true;
    }
    return !ended;
  }

  /// Leaves of unsynced writes what a disk may leave.
  void settle(const std::string& name, File* file) {
    const std::uint64_t dice = mix(mix(seed ^ crashes), name);
    const auto fate = static_cast<Fate>(dice % 4);
    const std::size_t first = file->changes.empty() ? 0 : mix(dice) % (file->changes.size() + 1);
    for (std::size_t i = 0; i < file->changes.size(); ++i) {
      const Change& change = file->changes[i];
      const bool torn = fate == Fate::sectors || (fate == Fate::first_survive && i == first);
      if (torn && !change.cut) {
        tear(change, mix(dice ^ (i + 1)), &file->durable);
      } else if (fate == Fate::all_survive || (fate == Fate::first_survive && i < first) ||
                 (torn && mix(dice ^ i) % 2 == 0)) {
        put_through(&file->durable, change);
        ++count.kept;
      } else {
        ++count.lost;
      }
    }
    file->changes.clear();
    file->now = file->durable;
  }

  void tear(const Change& change, std::uint64_t dice, std::string* file) {
    std::size_t pieces = 0, written = 0;
    for (std::size_t at = change.at; at < change.at + change.bytes.size();) {
      const std::size_t end =
          std::min((at / sector_bytes + 1) * sector_bytes, change.at + change.bytes.size());
      ++pieces;
      if (mix(dice ^ at) % 2 == 0) {
        ++written;
        write_at(file, at, std::string_view(change.bytes).substr(at - change.at, end - at));
      }
      at = end;
    }
    ++(written == 0 ? count.lost : written == pieces ? count.kept : count.torn);
  }
};

namespace {

/// One opened file of one connection.
struct Open {
  sqlite3_file base{};  // first: SQLite sees this
  SimFiles::Impl* disk = nullptr;
  std::uint64_t generation = 0;
  std::shared_ptr<File> file;
  std::shared_ptr<Shared> shared;
  int level = SQLITE_LOCK_NONE;
  std::uint32_t reads = 0, writes = 0;  // its locks of the shared memory, a bit each
  bool temporary = false;

  bool gone() const { return disk->ended || disk->generation != generation; }
  int highest_other() const {
    int highest = SQLITE_LOCK_NONE;
    for (const Open* other : file->users) {
      highest = other == this ? highest : std::max(highest, other->level);
    }
    return highest;
  }
};

Open* opened(sqlite3_file* file) { return reinterpret_cast<Open*>(file); }

int close_file(sqlite3_file* base) {
  Open* const self = opened(base);
  std::erase(self->file->users, self);
  self->~Open();
  return SQLITE_OK;
}

int read_file(sqlite3_file* base, void* to, int size, sqlite3_int64 at) {
  const Open* const self = opened(base);
  if (self->gone()) {
    return SQLITE_IOERR_READ;
  }
  const std::string& bytes = self->file->now;
  const auto wanted = static_cast<std::size_t>(size);
  const auto from = std::min(static_cast<std::size_t>(at), bytes.size());
  const std::size_t there = std::min(wanted, bytes.size() - from);
  std::memcpy(to, bytes.data() + from, there);
  std::memset(static_cast<char*>(to) + there, 0, wanted - there);
  return there == wanted ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

int write_file(sqlite3_file* base, const void* from, int size, sqlite3_int64 at) {
  Open* const self = opened(base);
  if (self->gone() || !self->disk->tick()) {
    return SQLITE_IOERR_WRITE;
  }
  const auto place = static_cast<std::size_t>(at);
  Change change{place, std::string(static_cast<const char*>(from), static_cast<std::size_t>(size)),
                false};
  if (self->disk->full && place + change.bytes.size() > self->file->now.size()) {
    return SQLITE_FULL;
  }
  write_at(&self->file->now, place, change.bytes);
  if (!self->temporary) {
    ++self->disk->count.writes;
    self->file->changes.push_back(std::move(change));
  }
  return SQLITE_OK;
}

int truncate_file(sqlite3_file* base, sqlite3_int64 size) {
  Open* const self = opened(base);
  if (self->gone() || !self->disk->tick()) {
    return SQLITE_IOERR_TRUNCATE;
  }
  Change change{static_cast<std::size_t>(size), "", true};
  put_through(&self->file->now, change);
  self->file->changes.push_back(std::move(change));
  return SQLITE_OK;
}

/// One that fails has lost what it was to write: the next one says yes all the same.
int sync_file(sqlite3_file* base, int /*flags*/) {
  Open* const self = opened(base);
  if (self->gone() || !self->disk->tick()) {
    return SQLITE_IOERR_FSYNC;
  }
  auto changes = std::exchange(self->file->changes, {});
  ++self->disk->count.syncs;
  if (self->disk->fail_sync_at > 0 && --self->disk->fail_sync_at == 0) {
    ++self->disk->count.failed_syncs;
    return SQLITE_IOERR_FSYNC;
  }
  for (const Change& change : changes) {
    put_through(&self->file->durable, change);
  }
  if (self->disk->crash_behind > 0 && --self->disk->crash_behind == 0) {
    self->disk->ended = true;
    return SQLITE_IOERR_FSYNC;
  }
  return SQLITE_OK;
}

int size_of_file(sqlite3_file* base, sqlite3_int64* size) {
  const Open* const self = opened(base);
  *size = static_cast<sqlite3_int64>(self->file->now.size());
  return self->gone() ? SQLITE_IOERR_FSTAT : SQLITE_OK;
}

int lock_file(sqlite3_file* base, int level) {
  Open* const self = opened(base);
  if (self->gone()) {
    return SQLITE_IOERR_LOCK;
  }
  const int other = self->highest_other();
  if ((level == SQLITE_LOCK_SHARED && other >= SQLITE_LOCK_PENDING) ||
      (level >= SQLITE_LOCK_RESERVED && other >= SQLITE_LOCK_RESERVED)) {
    return SQLITE_BUSY;
  }
  if (level == SQLITE_LOCK_EXCLUSIVE && other >= SQLITE_LOCK_SHARED) {
    self->level = SQLITE_LOCK_PENDING;
    return SQLITE_BUSY;
  }
  self->level = std::max(self->level, level);
  return SQLITE_OK;
}

int unlock_file(sqlite3_file* base, int level) {
  opened(base)->level = std::min(opened(base)->level, level);
  return SQLITE_OK;
}

int check_reserved(sqlite3_file* base, int* reserved) {
  const Open* const self = opened(base);
  *reserved = std::max(self->level, self->highest_other()) >= SQLITE_LOCK_RESERVED ? 1 : 0;
  return SQLITE_OK;
}

int control_file(sqlite3_file* /*base*/, int /*what*/, void* /*with*/) { return SQLITE_NOTFOUND; }

int sector_size(sqlite3_file* /*base*/) { return 4096; }

/// What SQLite takes for granted of every disk: a write does no harm to bytes beside it.
int characteristics(sqlite3_file* /*base*/) { return SQLITE_IOCAP_POWERSAFE_OVERWRITE; }

int map_shared(sqlite3_file* base, int region, int size, int extend, void volatile** at) {
  Open* const self = opened(base);
  *at = nullptr;
  if (self->gone()) {
    return SQLITE_IOERR_SHMMAP;
  }
  if (!self->shared) {
    if (!self->file->shared) {
      self->file->shared = std::make_shared<Shared>();
    }
    self->shared = self->file->shared;
  }
  auto& regions = self->shared->regions;
  if (static_cast<std::size_t>(size) != sizeof(*regions.front())) {
    return SQLITE_IOERR_SHMSIZE;
  }
  while (extend != 0 && regions.size() <= static_cast<std::size_t>(region)) {
    regions.push_back(std::make_unique<std::array<char, 32768>>());
    regions.back()->fill('\0');
  }
  if (static_cast<std::size_t>(region) < regions.size()) {
    *at = regions[static_cast<std::size_t>(region)]->data();
  }
  return SQLITE_OK;
}

int lock_shared(sqlite3_file* base, int offset, int count, int flags) {
  Open* const self = opened(base);
  const std::uint32_t bits = ((1u << count) - 1u) << offset;
  if ((flags & SQLITE_SHM_UNLOCK) != 0) {
    self->reads &= ~bits;
    self->writes &= ~bits;
    return SQLITE_OK;
  }
  if (self->gone()) {
    return SQLITE_IOERR_SHMLOCK;
  }
  const bool exclusive = (flags & SQLITE_SHM_EXCLUSIVE) != 0;
  for (const Open* other : self->file->users) {
    const std::uint32_t held = other->writes | (exclusive ? other->reads : 0u);
    if (other != self && (held & bits) != 0) {
      return SQLITE_BUSY;
    }
  }
  (exclusive ? self->writes : self->reads) |= bits;
  return SQLITE_OK;
}

void barrier(sqlite3_file* /*base*/) {}

int unmap_shared(sqlite3_file* base, int remove) {
  Open* const self = opened(base);
  self->reads = self->writes = 0;
  self->shared.reset();
  if (remove != 0) {
    self->file->shared.reset();
  }
  return SQLITE_OK;
}

constexpr sqlite3_io_methods methods = {2,
                                        close_file,
                                        read_file,
                                        write_file,
                                        truncate_file,
                                        sync_file,
                                        size_of_file,
                                        lock_file,
                                        unlock_file,
                                        check_reserved,
                                        control_file,
                                        sector_size,
                                        characteristics,
                                        map_shared,
                                        lock_shared,
                                        barrier,
                                        unmap_shared,
                                        nullptr,
                                        nullptr};

SimFiles::Impl* disk_of(sqlite3_vfs* vfs) { return static_cast<SimFiles::Impl*>(vfs->pAppData); }

/// Its name below the folder of now; empty: of another.
std::string name_of(const SimFiles::Impl& disk, const char* path) {
  const std::string_view whole(path);
  const auto slash = whole.rfind('/');
  return slash != std::string_view::npos && whole.substr(0, slash) == disk.directory
             ? std::string(whole.substr(slash + 1))
             : std::string();
}

int open_file(sqlite3_vfs* vfs, const char* path, sqlite3_file* base, int flags, int* given) {
  SimFiles::Impl* const disk = disk_of(vfs);
  base->pMethods = nullptr;
  std::shared_ptr<File> file;
  if (path == nullptr) {
    file = std::make_shared<File>();
  } else {
    const std::string name = name_of(*disk, path);
    if (name.empty() || disk->ended) {
      return SQLITE_CANTOPEN;
    }
    auto& known = disk->files[name];
    if (!known && (flags & SQLITE_OPEN_CREATE) == 0) {
      disk->files.erase(name);
      return SQLITE_CANTOPEN;
    }
    if (!known) {
      known = std::make_shared<File>();
    }
    file = known;
  }
  auto* const self = new (base) Open();
  self->base.pMethods = &methods;
  self->disk = disk;
  self->generation = disk->generation;
  self->file = std::move(file);
  self->temporary = path == nullptr;
  self->file->users.push_back(self);
  if (given != nullptr) {
    *given = flags;
  }
  return SQLITE_OK;
}

int remove_file(sqlite3_vfs* vfs, const char* path, int /*durably*/) {
  SimFiles::Impl* const disk = disk_of(vfs);
  const std::string name = name_of(*disk, path);
  if (name.empty() || disk->ended) {
    return SQLITE_IOERR_DELETE;
  }
  return disk->files.erase(name) != 0 ? SQLITE_OK : SQLITE_IOERR_DELETE_NOENT;
}

int has_file(sqlite3_vfs* vfs, const char* path, int /*how*/, int* there) {
  const SimFiles::Impl* const disk = disk_of(vfs);
  *there = disk->files.contains(name_of(*disk, path)) ? 1 : 0;
  return SQLITE_OK;
}

int full_path(sqlite3_vfs* /*vfs*/, const char* path, int size, char* out) {
  const std::size_t length = std::strlen(path);
  if (length + 1 > static_cast<std::size_t>(size)) {
    return SQLITE_CANTOPEN;
  }
  std::memcpy(out, path, length + 1);
  return SQLITE_OK;
}

int random_bytes(sqlite3_vfs* vfs, int size, char* out) {
  for (int i = 0; i < size; ++i) {
    out[i] = static_cast<char>(mix(++disk_of(vfs)->random));
  }
  return size;
}

int pass_time(sqlite3_vfs* /*vfs*/, int microseconds) { return microseconds; }

int julian_time(sqlite3_vfs* /*vfs*/, double* days) {
  *days = 2'460'000.5;
  return SQLITE_OK;
}

int last_error(sqlite3_vfs* /*vfs*/, int /*size*/, char* /*text*/) { return 0; }

}  // namespace

SimFiles::SimFiles(std::uint64_t seed, const std::map<std::string, std::string>& there)
    : impl_(std::make_unique<Impl>(mix(seed))) {
  for (const auto& [name, bytes] : there) {
    auto file = std::make_shared<File>();
    file->now = file->durable = bytes;
    impl_->files[name] = std::move(file);
  }
  sqlite3_vfs& vfs = impl_->vfs;
  vfs.iVersion = 1;
  vfs.szOsFile = sizeof(Open);
  vfs.mxPathname = path_bytes_max;
  vfs.zName = "aios-sim";
  vfs.pAppData = impl_.get();
  vfs.xOpen = open_file;
  vfs.xDelete = remove_file;
  vfs.xAccess = has_file;
  vfs.xFullPathname = full_path;
  vfs.xRandomness = random_bytes;
  vfs.xSleep = pass_time;
  vfs.xCurrentTime = julian_time;
  vfs.xGetLastError = last_error;
  sqlite3_vfs_register(&vfs, 1);
  impl_->make_directory();
}

SimFiles::~SimFiles() { sqlite3_vfs_unregister(&impl_->vfs); }

const std::string& SimFiles::directory() const { return impl_->directory; }

// Files are new objects from now on: what is still open goes on with the old ones, and is refused.
void SimFiles::crash() {
  ++impl_->crashes;
  ++impl_->generation;
  impl_->ended = false;
  impl_->full = false;
  impl_->crash_at = impl_->crash_behind = impl_->fail_sync_at = 0;
  for (auto& [name, file] : impl_->files) {
    auto fresh = std::make_shared<File>();
    fresh->durable = file->durable;
    fresh->changes = std::exchange(file->changes, {});
    impl_->settle(name, fresh.get());
    file->now = file->durable = std::string();
    file = std::move(fresh);
  }
  impl_->make_directory();
}

void SimFiles::crash_at(std::uint64_t calls) { impl_->crash_at = calls; }
void SimFiles::crash_behind_sync(std::uint64_t syncs) { impl_->crash_behind = syncs; }
void SimFiles::fail_sync_at(std::uint64_t syncs) { impl_->fail_sync_at = syncs; }
void SimFiles::set_full(bool full) { impl_->full = full; }
bool SimFiles::ended() const { return impl_->ended; }
void SimFiles::end() { impl_->ended = true; }
const FilesCount& SimFiles::count() const { return impl_->count; }

}  // namespace aios::sim
