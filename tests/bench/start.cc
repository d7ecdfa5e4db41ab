// SPDX-License-Identifier: Apache-2.0
// bench start: the program itself as a process of its own: from its start on an empty data
// directory to the answer that it is ready, several times; and the memory that it has after ten
// seconds without a request. Method: docs/benchmarks.md.
#include "load.h"
#include "report.h"

#include "core/text.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace aios::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t starts = 11;
constexpr std::size_t idle_servers = 3;
constexpr double idle_seconds_max = 10;
constexpr auto ready_wait = std::chrono::seconds(60);

[[noreturn]] void give_up(std::string_view what) {
  fmt::print(stderr, "bench start: {}\n", what);
  std::exit(1);
}

std::string text_of(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// A server on a directory of its own.
class Program {
 public:
  explicit Program(const std::string& folder) : folder_(folder) {
    std::filesystem::remove_all(folder);
    std::filesystem::create_directories(folder);
    const std::string data = folder + "/data";
    const std::string ready = folder + "/ready";
    const std::string output = folder + "/output";
    std::array arguments = {
        std::string(AIOS_PROGRAM), std::string("serve"),       std::string("--data"),       data,
        std::string("--listen"),   std::string("127.0.0.1:0"), std::string("--ready-file"), ready};
    std::vector<char*> argv;
    for (auto& one : arguments) {
      argv.push_back(one.data());
    }
    argv.push_back(nullptr);
    const int out = ::open(output.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    const auto begin = Clock::now();
    pid_ = ::fork();
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // no server outlives a bench that gives up
      ::dup2(out, STDOUT_FILENO);
      ::dup2(out, STDERR_FILENO);
      ::execv(argv[0], argv.data());
      ::_exit(127);
    }
    ::close(out);
    if (pid_ < 0) {
      give_up("no process can be started");
    }
    wait_ready(ready, begin);
    ready_ms_ = std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
    if (text_of(data + "/first-key").empty() || !std::filesystem::exists(data + "/journal.db")) {
      give_up("the server says that it is ready, and its directory has no key or no journal");
    }
  }
  ~Program() { stop(); }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  double ready_ms() const { return ready_ms_; }

  /// A member of /proc/PID/smaps_rollup, as Rss, Pss or Anonymous, in megabytes.
  double memory_mb(std::string_view name) const {
    const std::string text = text_of(fmt::format("/proc/{}/smaps_rollup", pid_));
    const std::size_t at = text.find(fmt::format("\n{}:", name));
    if (at == std::string::npos) {
      give_up(fmt::format("the kernel does not say the server's {}", name));
    }
    return std::strtod(text.c_str() + at + name.size() + 2, nullptr) / 1024;
  }
  double cpu_seconds() const {
    const std::string text = text_of(fmt::format("/proc/{}/stat", pid_));
    const auto fields = split(text.substr(text.rfind(')') + 2), ' ');  // from the third one
    return (std::strtod(std::string(fields[11]).c_str(), nullptr) +
            std::strtod(std::string(fields[12]).c_str(), nullptr)) /
           static_cast<double>(::sysconf(_SC_CLK_TCK));
  }

  /// In order, by a signal; any other end than a good one ends the bench.
  void stop() {
    if (pid_ == 0) {
      return;
    }
    int status = 0;
    ::kill(pid_, SIGTERM);
    ::waitpid(std::exchange(pid_, 0), &status, 0);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
      give_up("a server did not stop in order:\n" + text_of(folder_ + "/output"));
    }
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

 private:
  void wait_ready(const std::string& file, Clock::time_point begin) {
    std::string port;
    while (port.empty() || port.back() != '\n') {
      int status = 0;
      if (::waitpid(pid_, &status, WNOHANG) == pid_) {
        pid_ = 0;
        give_up("the server ended before it was ready:\n" + text_of(folder_ + "/output"));
      }
      if (Clock::now() - begin > ready_wait) {
        give_up("the server is not ready after a minute:\n" + text_of(folder_ + "/output"));
      }
      ::poll(nullptr, 0, 1);
      port = text_of(file);
    }
    const auto number = static_cast<std::uint16_t>(std::strtoul(port.c_str(), nullptr, 10));
    const auto answer = ask(number, "GET /readyz HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n");
    if (answer.status != 200) {
      give_up(fmt::format("the server is there and not ready: {} {}", answer.status, answer.body));
    }
  }

  std::string folder_;
  pid_t pid_ = 0;
  double ready_ms_ = 0;
};

int run(const Options& options) {
  std::filesystem::create_directories(options.folder);
  const double idle_seconds = std::min(idle_seconds_max, options.seconds * 2);
  std::vector<std::unique_ptr<Program>> idle;
  std::vector<double> ready_ms;
  for (std::size_t i = 0; i < starts; ++i) {
    auto program = std::make_unique<Program>(fmt::format("{}/{}", options.folder, i));
    ready_ms.push_back(program->ready_ms());
    if (i + idle_servers >= starts) {
      idle.push_back(std::move(program));
    }
  }
  const double fsync_us = fdatasync_us(options.folder, 300);
  std::vector<double> rss;
  std::vector<double> anonymous;
  std::vector<double> cpu;
  ::poll(nullptr, 0, static_cast<int>(idle_seconds * 1000));
  for (const auto& one : idle) {
    rss.push_back(one->memory_mb("Rss"));
    anonymous.push_back(one->memory_mb("Anonymous"));
    cpu.push_back(one->cpu_seconds());
  }
  idle.clear();  // each must stop in order

  Report report("start");
  constexpr auto none = std::nullopt;
  report.add({"ready_ms", quantile(ready_ms, 0.5), "ms", 300, Better::lower});
  report.add({"idle_rss_mb", quantile(rss, 0.5), "MB", 50, Better::lower});
  report.add({"ready_ms_max", quantile(ready_ms, 1), "ms", none, Better::lower});
  report.add({"idle_anonymous_mb", quantile(anonymous, 0.5), "MB", none, Better::lower});
  report.add({"cpu_s_after_idle", quantile(cpu, 0.5), "s", none, Better::lower});
  report.add({"fdatasync_p50_us", fsync_us, "us", none, Better::lower});
  report.note(fmt::format(
      "{} starts on empty directories, the program warm in the page cache; {} servers idle for "
      "{:g} s at the same time; MB of 2^20 bytes, pages of the program and its libraries included "
      "in idle_rss_mb",
      starts, idle_servers, idle_seconds));
  std::error_code ignored;
  std::filesystem::remove_all(options.folder, ignored);
  return report.finish(options.json) ? 0 : 1;
}

}  // namespace
}  // namespace aios::bench

int main(int argc, char** argv) {
  return aios::bench::run(aios::bench::read_options(argc, argv, "start"));
}
