// SPDX-License-Identifier: Apache-2.0
#include "program.h"

#include "load.h"

#include "core/text.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

namespace aios::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto ready_wait = std::chrono::seconds(60);

[[noreturn]] void give_up(std::string_view what) {
  fmt::print(stderr, "bench: {}\n", what);
  std::exit(1);
}

double entries_of(const std::string& directory) {
  std::error_code failed;
  double count = 0;
  for (std::filesystem::directory_iterator at(directory, failed), end; !failed && at != end;
       at.increment(failed)) {
    ++count;
  }
  if (failed || count == 0) {
    give_up(fmt::format("the kernel does not list {}", directory));
  }
  return count;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (auto& one : texts) {
    out.push_back(one.data());
  }
  out.push_back(nullptr);
  return out;
}

}  // namespace

std::string program_path() {
  const char* named = std::getenv("AIOS_BINARY");
  return named != nullptr && *named != '\0' ? named : AIOS_PROGRAM;
}

std::string text_of(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

double memory_mb(pid_t pid, std::string_view name) {
  const std::string text = text_of(fmt::format("/proc/{}/smaps_rollup", pid));
  const std::size_t at = text.find(fmt::format("\n{}:", name));
  if (at == std::string::npos) {
    give_up(fmt::format("the kernel does not say the server's {}", name));
  }
  return std::strtod(text.c_str() + at + name.size() + 2, nullptr) / 1024;
}

double descriptors(pid_t pid) { return entries_of(fmt::format("/proc/{}/fd", pid)); }
double threads(pid_t pid) { return entries_of(fmt::format("/proc/{}/task", pid)); }

Program::Program(const ProgramOptions& options) : folder_(options.folder) {
  std::filesystem::remove_all(folder_);
  std::filesystem::create_directories(folder_);
  std::vector<std::string> arguments = {program_path(), "serve",           "--data",
                                        data(),         "--listen",        "127.0.0.1:0",
                                        "--ready-file", folder_ + "/ready"};
  arguments.insert(arguments.end(), options.arguments.begin(), options.arguments.end());
  std::vector<std::string> variables = options.variables;
  for (char** one = ::environ; *one != nullptr; ++one) {
    variables.emplace_back(*one);
  }
  const auto argv = pointers(arguments);
  const auto environment = pointers(variables);
  const std::string output = folder_ + "/output";
  const int out = ::open(output.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  const auto begin = Clock::now();
  pid_ = ::fork();
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // no server outlives a bench that gives up
    ::dup2(out, STDOUT_FILENO);
    ::dup2(out, STDERR_FILENO);
    ::execve(argv[0], argv.data(), environment.data());
    ::_exit(127);
  }
  ::close(out);
  if (pid_ < 0) {
    give_up("no process can be started");
  }
  wait_ready();
  ready_ms_ = std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
  if (key().empty() || !std::filesystem::exists(data() + "/journal.db")) {
    give_up("the server says that it is ready, and its directory has no key or no journal");
  }
}

Program::~Program() { stop(); }

std::string Program::key() const { return std::string(trim(text_of(data() + "/first-key"))); }

double Program::cpu_seconds() const {
  const std::string text = text_of(fmt::format("/proc/{}/stat", pid_));
  const auto fields = split(text.substr(text.rfind(')') + 2), ' ');  // from the third one
  return (std::strtod(std::string(fields[11]).c_str(), nullptr) +
          std::strtod(std::string(fields[12]).c_str(), nullptr)) /
         static_cast<double>(::sysconf(_SC_CLK_TCK));
}

void Program::stop() {
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

void Program::wait_ready() {
  const auto begin = Clock::now();
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
    port = text_of(folder_ + "/ready");
  }
  port_ = static_cast<std::uint16_t>(std::strtoul(port.c_str(), nullptr, 10));
  const auto answer = ask(port_, "GET /readyz HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n");
  if (answer.status != 200) {
    give_up(fmt::format("the server is there and not ready: {} {}", answer.status, answer.body));
  }
}

}  // namespace aios::bench
