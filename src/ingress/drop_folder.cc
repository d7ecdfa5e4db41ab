// SPDX-License-Identifier: Apache-2.0
#include "ingress/detail/drop_folder.h"

#include "core/crypto.h"
#include "core/text.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <fnmatch.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

namespace aios::ingress {
namespace {

constexpr int folder_flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
constexpr int names_counted_max = 100;
constexpr int names_tried_max = names_counted_max + 10;
constexpr std::size_t name_drawn_bytes = 8;
constexpr std::size_t name_bytes_max = 255;

Error cannot(std::string_view doing, std::string_view name) {
  return Error(Code::failed_precondition,
               fmt::format("cannot {} '{}': {}", doing, excerpt(name, 200), std::strerror(errno)))
      .page(1210);
}

std::int64_t changed_ns(const struct stat& info) {
  return std::int64_t{info.st_mtim.tv_sec} * 1'000'000'000 + info.st_mtim.tv_nsec;
}

bool is_unfinished(std::string_view name) {
  return name.starts_with('.') || name.ends_with(".part") || name.ends_with(".tmp");
}

struct CloseFolder {
  void operator()(DIR* folder) const { ::closedir(folder); }
};

/// The name with more behind it, as long as a name may be: the end of a long one goes, by whole
/// characters.
std::string longer_name(const std::string& name, const std::string& more) {
  std::size_t kept = std::min(name.size(), name_bytes_max - more.size());
  while (kept > 0 && kept < name.size() &&
         (static_cast<unsigned char>(name[kept]) & 0xc0) == 0x80) {
    --kept;
  }
  return name.substr(0, kept) + more;
}

/// "a.csv", then "a.csv.1" and so on; where many have that name, one that is drawn.
std::string other_name(const std::string& name, int number) {
  if (number >= names_counted_max) {
    return longer_name(name, "." + to_hex(secure_random(name_drawn_bytes)));
  }
  return number == 0 ? name : longer_name(name, fmt::format(".{}", number));
}

/// Where it stands why the file failed. Names that are cut are told apart by what they were.
std::string beside_name(const std::string& name) {
  const std::string more = ".error.txt";
  return name.size() + more.size() <= name_bytes_max
             ? name + more
             : longer_name(name, "." + to_hex(view(sha256(name))).substr(0, 8) + more);
}

}  // namespace

bool DropFolder::is_inside(std::string_view path) {
  for (const auto part : split(path, '/')) {
    if (part.empty() || part.starts_with('.') || part.size() > name_bytes_max) {
      return false;
    }
  }
  return !path.empty() && path.size() <= 1'000;
}

Result<void> DropFolder::can_move() const {
  for (const char* name : {"done", "failed"}) {
    struct stat info{};
    if (::fstatat(folder_->get(), name, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
        !S_ISDIR(info.st_mode)) {
      errno = ENOTDIR;
      return cannot("move files into", name);
    }
  }
  return {};
}

Result<DropFolder> DropFolder::open(const std::string& root, const std::string& path) {
  auto at =
      std::make_unique<store::Descriptor>(::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (at->get() < 0) {
    return cannot("open the watch root", root);
  }
  for (const auto part : split(path, '/')) {
    if (!is_inside(part)) {
      errno = EINVAL;
      return cannot("open the folder", path);
    }
    auto next = std::make_unique<store::Descriptor>(
        ::openat(at->get(), std::string(part).c_str(), folder_flags));
    if (next->get() < 0) {
      return cannot("open the folder", path);
    }
    at = std::move(next);
  }
  return DropFolder(std::move(at));
}

Result<std::vector<DroppedFile>> DropFolder::look(const std::string& pattern) const {
  const int copy = ::openat(folder_->get(), ".", folder_flags);
  const std::unique_ptr<DIR, CloseFolder> folder(copy < 0 ? nullptr : ::fdopendir(copy));
  if (!folder) {
    return cannot("list the folder", ".");
  }
  std::vector<DroppedFile> out;
  while (const dirent* entry = ::readdir(folder.get())) {
    const std::string name(static_cast<const char*>(entry->d_name));
    struct stat info{};
    if (is_unfinished(name) || !is_utf8(name) ||
        ::fnmatch(pattern.c_str(), name.c_str(), FNM_PERIOD) != 0 ||
        ::fstatat(folder_->get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0 ||
        !S_ISREG(info.st_mode)) {
      continue;
    }
    out.push_back({name, static_cast<std::uint64_t>(info.st_size), changed_ns(info), info.st_ino});
    if (out.size() >= names_max) {
      break;  // the next look sees the others
    }
  }
  std::sort(out.begin(), out.end(),
            [](const DroppedFile& a, const DroppedFile& b) { return a.name < b.name; });
  return out;
}

Result<std::string> DropFolder::read(const DroppedFile& file, std::size_t bytes_max) const {
  const store::Descriptor in(
      ::openat(folder_->get(), file.name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  if (in.get() < 0) {
    return cannot("open", file.name);
  }
  const auto as_seen = [&](const struct stat& info) {
    return S_ISREG(info.st_mode) && static_cast<std::uint64_t>(info.st_size) == file.size &&
           changed_ns(info) == file.changed_ns && info.st_ino == file.inode;
  };
  struct stat info{};
  if (::fstat(in.get(), &info) != 0 || !as_seen(info)) {
    return Error(Code::aborted, "the file has changed");
  }
  if (info.st_nlink != 1) {  // its other name may be a place that nobody gave to us
    return Error(Code::permission_denied, "the file has a second name (a hard link)").page(1211);
  }
  if (file.size > bytes_max) {
    return Error(Code::resource_exhausted,
                 fmt::format("the file has {} bytes, at most {} are read", file.size, bytes_max))
        .page(1211);
  }
  std::string text(file.size, '\0');
  std::size_t have = 0;
  while (have < text.size()) {
    const ssize_t got = ::read(in.get(), text.data() + have, text.size() - have);
    if (got <= 0) {
      return Error(Code::aborted, "the file got shorter while it was read");
    }
    have += static_cast<std::size_t>(got);
  }
  if (::fstat(in.get(), &info) != 0 || !as_seen(info)) {
    return Error(Code::aborted, "the file was written to while it was read");
  }
  return text;
}

Result<DropFolder::Handle> DropFolder::below(const char* name) const {
  if (::mkdirat(folder_->get(), name, 0700) != 0 && errno != EEXIST) {
    return cannot("make the folder", name);
  }
  auto folder = std::make_unique<store::Descriptor>(::openat(folder_->get(), name, folder_flags));
  if (folder->get() < 0) {
    return cannot("open the folder", name);
  }
  return folder;
}

/// @return the name it has there
Result<std::string> DropFolder::move(const std::string& name, int to) const {
  for (int number = 0; number < names_tried_max; ++number) {
    const std::string target = other_name(name, number);
    if (::renameat2(folder_->get(), name.c_str(), to, target.c_str(), RENAME_NOREPLACE) == 0) {
      return target;
    }
    if (errno == ENOENT) {
      return target;  // somebody took it away: nothing is left to move
    }
    if (errno != EEXIST) {
      break;
    }
  }
  return cannot("move", name);
}

Result<void> DropFolder::move_done(const std::string& name) const {
  auto to = below("done");
  if (!to.ok()) {
    return std::move(to).error();
  }
  auto moved = move(name, (*to)->get());
  return moved.ok() ? Result<void>() : Result<void>(std::move(moved).error());
}

Result<void> DropFolder::move_failed(const std::string& name, const std::string& why) const {
  auto to = below("failed");
  if (!to.ok()) {
    return std::move(to).error();
  }
  auto moved = move(name, (*to)->get());
  if (!moved.ok()) {
    return std::move(moved).error();
  }
  const std::string beside = beside_name(*moved);
  const store::Descriptor out(::openat(
      (*to)->get(), beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
  const std::string text = why + "\n";
  if (out.get() < 0 ||
      ::write(out.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    return cannot("write", beside);
  }
  return {};
}

}  // namespace aios::ingress
