// SPDX-License-Identifier: Apache-2.0
#include "soak_watch.h"

#include "program.h"

#include <poll.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <string_view>
#include <utility>

namespace aios::bench {
namespace {

constexpr double mega = 1 << 20;
constexpr std::array<std::string_view, 3> databases = {"journal", "tables", "keystore"};

double allocated(const std::string& path) {
  struct stat info{};  // a file may go between its name and the look at it
  return ::stat(path.c_str(), &info) == 0 ? static_cast<double>(info.st_blocks) * 512 : 0;
}

std::string kind_of(const std::string& name) {
  for (const auto database : databases) {
    const std::string file = std::string(database) + ".db";
    if (name == file) {
      return std::string(database);
    }
    if (name.starts_with(file)) {
      return "wal";
    }
  }
  const std::string folder = name.substr(0, name.find('/'));
  return folder == "audit" || folder == "blobs" ? folder : "rest";
}

}  // namespace

Watch::Watch(pid_t pid, std::string data, double seconds)
    : pid_(pid),
      data_(std::move(data)),
      pause_seconds_(seconds),
      begin_(std::chrono::steady_clock::now()),
      thread_([this] { live(); }) {}

Watch::~Watch() { stop(); }

double Watch::now() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
}

Watched Watch::stop() {
  stopping_ = true;
  if (thread_.joinable()) {
    thread_.join();
  }
  return std::move(watched_);
}

void Watch::live() {
  constexpr double step_seconds = 0.02;
  for (double rest = 0; !stopping_; rest -= step_seconds) {
    if (rest <= 0 && loaded_) {
      look();
      rest = pause_seconds_;
    }
    ::poll(nullptr, 0, static_cast<int>(step_seconds * 1000));
  }
}

void Watch::look() {
  const double at = now();
  double wal = 0;
  for (const auto database : databases) {
    const double one = allocated(data_ + "/" + std::string(database) + ".db-wal") / mega;
    double& most = watched_.wal_mb_most[std::string(database)];
    most = std::max(most, one);
    wal += one;
  }
  watched_.wal_mb.push_back({at, wal});
  watched_.journal_mb.push_back({at, allocated(data_ + "/journal.db") / mega});
  watched_.resident_mb.push_back({at, memory_mb(pid_, "Rss")});
  watched_.anonymous_mb.push_back({at, memory_mb(pid_, "Anonymous")});
  watched_.descriptors.push_back({at, descriptors(pid_)});
  watched_.threads.push_back({at, threads(pid_)});
}

std::map<std::string, double> bytes_by_kind(const std::string& data) {
  std::map<std::string, double> out;
  std::error_code failed;
  std::filesystem::recursive_directory_iterator at(data, failed);
  for (const std::filesystem::recursive_directory_iterator end; !failed && at != end;
       at.increment(failed)) {
    const std::string path = at->path().string();
    if (std::error_code gone; at->is_regular_file(gone) && !gone) {
      out[kind_of(path.substr(data.size() + 1))] += allocated(path);
    }
  }
  return out;
}

}  // namespace aios::bench
