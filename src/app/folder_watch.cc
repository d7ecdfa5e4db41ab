// SPDX-License-Identifier: Apache-2.0
#include "app/folder_watch.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <system_error>
#include <vector>

namespace aios::app {
namespace {

constexpr std::size_t entries_max = 20'000;

bool for_nobody(const std::filesystem::path& path) {
  const std::string name = path.filename().string();
  std::error_code failed;
  return name.starts_with('.') || name.ends_with('~') ||
         std::filesystem::exists(path / "journal.db", failed);  // a server's data
}

}  // namespace

std::string FolderWatch::look() const {
  namespace fs = std::filesystem;
  std::vector<std::string> lines;
  std::error_code failed;
  auto it = fs::recursive_directory_iterator(folder_, failed);
  for (; !failed && it != fs::recursive_directory_iterator() && lines.size() < entries_max;
       it.increment(failed)) {
    if (for_nobody(it->path())) {
      it.disable_recursion_pending();
      continue;
    }
    struct stat info{};
    if (::stat(it->path().c_str(), &info) == 0 && !S_ISDIR(info.st_mode)) {
      lines.push_back(fmt::format("{} {} {} {}.{:09}", it->path().string(), info.st_ino,
                                  info.st_size, info.st_mtim.tv_sec, info.st_mtim.tv_nsec));
    }
  }
  std::sort(lines.begin(), lines.end());
  return fmt::format("{}\n", fmt::join(lines, "\n"));
}

void FolderWatch::know() {
  known_ = look();
  last_ = known_;
}

bool FolderWatch::changed() {
  std::string now = look();
  const bool settled = now == last_;
  last_ = std::move(now);
  if (!settled || last_ == known_) {
    return false;
  }
  known_ = last_;
  return true;
}

}  // namespace aios::app
