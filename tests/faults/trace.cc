// SPDX-License-Identifier: Apache-2.0
#include "faults.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <vector>

namespace aios::faults {
namespace {

constexpr std::size_t descriptors_max = 65536;

struct Rule {
  std::string function;
  std::string pattern;
  std::uint64_t number = 1;
  int error = 0;
  bool cut = false;
  bool ever = false;
  std::uint64_t seen = 0;
};

/// A rule that names what there is not is never met, and its test would pass for ever.
[[noreturn]] void refuse(const std::string& rule, const std::string& wanted) {
  const std::string words =
      "aios_faults: AIOS_FAULTS_RULES has the rule '" + rule + "', wanted " + wanted + "\n";
  ::syscall(SYS_write, STDERR_FILENO, words.data(), words.size());
  std::_Exit(2);
}

int error_named(const std::string& name) {
  constexpr std::array known = {EIO, ENOSPC, EMFILE, ENFILE, EACCES, EDQUOT, EROFS, ENOMEM};
  const auto found = std::find_if(known.begin(), known.end(),
                                  [&](int each) { return name == strerrorname_np(each); });
  return found == known.end() ? 0 : *found;
}

Rule rule_of(const std::string& text, const std::vector<std::string>& words) {
  constexpr std::array<std::string_view, 14> functions = {
      "*",    "open",   "read",   "write", "fsync", "ftruncate", "fallocate",
      "link", "unlink", "rename", "mkdir", "rmdir", "accept",    "socket"};
  if (words.size() != 5) {
    refuse(text, "FUNCTION:PATTERN:N:WHAT:once or ever");
  }
  if (std::find(functions.begin(), functions.end(), words[0]) == functions.end()) {
    refuse(text, "a function that this library stands in front of, or *");
  }
  Rule rule{.function = words[0],
            .pattern = words[1],
            .error = error_named(words[3]),
            .cut = words[3] == "CUT",
            .ever = words[4] == "ever"};
  const char* const end = words[2].data() + words[2].size();
  const auto read = std::from_chars(words[2].data(), end, rule.number);
  if (read.ec != std::errc() || read.ptr != end || rule.number == 0) {
    refuse(text, "as N the number of a call, from 1");
  }
  if (rule.error == 0 && !rule.cut) {
    refuse(text, "as WHAT an error's name (EIO, ENOSPC, EMFILE, ...) or CUT");
  }
  if (!rule.ever && words[4] != "once") {
    refuse(text, "once or ever at its end");
  }
  return rule;
}

std::vector<std::string> parted(const std::string& text, char by) {
  std::vector<std::string> out;
  std::size_t begin = 0;
  while (begin <= text.size()) {
    const std::size_t end = std::min(text.find(by, begin), text.size());
    out.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return out;
}

struct State {
  std::string root;
  std::string armed_by;
  bool calls = false;
  int trace = -1;
  std::vector<Rule> rules;
  std::mutex rules_lock;
  std::array<std::atomic<std::uint32_t>, descriptors_max> handles{};
  std::vector<std::string> paths{""};  // by handle
  std::mutex paths_lock;
};

std::string setting(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

State* made() {
  auto* state = new State;  // for as long as the process: calls come until the very end
  state->root = setting("AIOS_FAULTS_ROOT");
  state->armed_by = setting("AIOS_FAULTS_ARMED");
  state->calls = setting("AIOS_FAULTS_CALLS") == "1";
  for (const std::string& text : parted(setting("AIOS_FAULTS_RULES"), ';')) {
    if (!text.empty()) {
      state->rules.push_back(rule_of(text, parted(text, ':')));
    }
  }
  const std::string trace = setting("AIOS_FAULTS_TRACE");
  if (!state->root.empty() && !trace.empty()) {
    const auto real = reinterpret_cast<decltype(&::open)>(dlsym(RTLD_NEXT, "open"));
    const int low = real(trace.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    state->trace = ::fcntl(low, F_DUPFD_CLOEXEC, 1000);  // out of the way of what counts its own
    if (state->trace < 0) {
      std::abort();
    }
    reinterpret_cast<decltype(&::close)>(dlsym(RTLD_NEXT, "close"))(low);
  }
  ::unsetenv("LD_PRELOAD");  // of what it starts nothing is watched
  return state;
}

State& state() {
  static State* const one = made();
  return *one;
}

std::string place_of(int fd) {
  std::array<char, 4096> text{};
  const std::string link = "/proc/self/fd/" + std::to_string(fd);
  const ssize_t size = ::readlink(link.c_str(), text.data(), text.size());
  return size > 0 ? std::string(text.data(), static_cast<std::size_t>(size)) : "";
}

}  // namespace

std::mutex& order() {
  static auto* const one = new std::mutex;
  return *one;
}

bool watching() { return !state().root.empty(); }

std::string below(int folder_fd, const char* path) {
  if (!watching() || path == nullptr) {
    return "";
  }
  std::filesystem::path whole(path);
  if (whole.is_relative()) {
    std::array<char, 4096> here{};
    whole = (folder_fd == AT_FDCWD
                 ? std::filesystem::path(::getcwd(here.data(), here.size()) ? here.data() : "/")
                 : std::filesystem::path(place_of(folder_fd))) /
            whole;
  }
  std::string text = whole.lexically_normal().string();
  while (text.size() > 1 && (text.ends_with('/') || text.ends_with("/."))) {
    text.pop_back();
  }
  const std::string& root = state().root;
  if (text == root) {
    return ".";
  }
  return text.starts_with(root + "/") ? text.substr(root.size() + 1) : "";
}

void record(const Record& record) {
  const int fd = state().trace;
  if (fd < 0) {
    return;
  }
  struct {
    std::uint32_t kind, handle;
    std::uint64_t a, b;
    std::uint32_t path, other;
    std::uint64_t data;
  } head{static_cast<std::uint32_t>(record.kind),
         record.handle,
         record.a,
         record.b,
         static_cast<std::uint32_t>(record.path.size()),
         static_cast<std::uint32_t>(record.other.size()),
         record.data.size()};
  static_assert(sizeof(head) == 40);
  std::string bytes(reinterpret_cast<const char*>(&head), sizeof(head));
  bytes.append(record.path).append(record.other).append(record.data);
  static const auto real = reinterpret_cast<decltype(&::write)>(dlsym(RTLD_NEXT, "write"));
  if (real(fd, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) {
    ::kill(::getpid(), SIGABRT);  // a trace with a gap would accuse the innocent
  }
}

std::uint32_t remember(int fd, const std::string& path) {
  State& all = state();
  const std::scoped_lock lock(all.paths_lock);
  all.paths.push_back(path);
  const auto handle = static_cast<std::uint32_t>(all.paths.size() - 1);
  if (fd >= 0 && static_cast<std::size_t>(fd) < descriptors_max) {
    all.handles[static_cast<std::size_t>(fd)] = handle;
  }
  return handle;
}

std::uint32_t handle_of(int fd) {
  return fd >= 0 && static_cast<std::size_t>(fd) < descriptors_max
             ? state().handles[static_cast<std::size_t>(fd)].load()
             : 0;
}

void same_handle(int from, int to) {
  if (to >= 0 && static_cast<std::size_t>(to) < descriptors_max) {
    state().handles[static_cast<std::size_t>(to)] = handle_of(from);
  }
}

void forget(int fd) {
  if (fd >= 0 && static_cast<std::size_t>(fd) < descriptors_max) {
    state().handles[static_cast<std::size_t>(fd)] = 0;
  }
}

std::string path_of(int fd) {
  const std::uint32_t handle = handle_of(fd);
  State& all = state();
  const std::scoped_lock lock(all.paths_lock);
  return all.paths[handle];
}

int refused(std::string_view function, const std::string& path) {
  State& all = state();
  if (path.empty()) {
    return 0;
  }
  if (all.calls) {
    const std::scoped_lock lock(order());
    record({.kind = Kind::call, .path = path, .other = function});
  }
  if (all.rules.empty() || (!all.armed_by.empty() && ::access(all.armed_by.c_str(), F_OK) != 0)) {
    return 0;
  }
  const std::scoped_lock lock(all.rules_lock);
  for (Rule& rule : all.rules) {
    if ((rule.function != "*" && rule.function != function) ||
        ::fnmatch(rule.pattern.c_str(), path.c_str(), 0) != 0) {
      continue;
    }
    ++rule.seen;
    if (rule.seen < rule.number || (rule.seen > rule.number && !rule.ever)) {
      continue;
    }
    if (rule.cut) {
      ::kill(::getpid(), SIGKILL);
      ::pause();
    }
    // That it was met is for whoever reads the trace.
    const std::string met = std::string("!") + std::string(function);
    const std::scoped_lock in_order(order());
    record({.kind = Kind::call,
            .a = static_cast<std::uint64_t>(rule.error),
            .path = path,
            .other = met});
    errno = rule.error;
    return rule.error;
  }
  return 0;
}

}  // namespace aios::faults
