// SPDX-License-Identifier: Apache-2.0
#include "report.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

namespace aios::bench {
namespace {

std::string first_line_of(const char* command) {
  std::string line;
  FILE* pipe = ::popen(command, "r");
  if (pipe == nullptr) {
    return line;
  }
  std::array<char, 256> buffer{};
  if (std::fgets(buffer.data(), buffer.size(), pipe) != nullptr) {
    line = buffer.data();
  }
  ::pclose(pipe);
  while (!line.empty() && (line.back() == '\n' || line.back() == ' ')) {
    line.pop_back();
  }
  return line;
}

std::string machine() {
  std::ifstream file("/proc/cpuinfo");
  std::string line;
  std::string model = "unknown processor";
  while (std::getline(file, line)) {
    if (line.starts_with("model name")) {
      model = line.substr(line.find(':') + 2);
      break;
    }
  }
  return fmt::format("{}, {} cores, {}", model, std::thread::hardware_concurrency(),
                     first_line_of("uname -sr"));
}

std::string commit() {
  const std::string hash = first_line_of("git -C '" AIOS_SOURCE_DIR "' rev-parse HEAD 2>/dev/null");
  const std::string changed = first_line_of(
      "git -C '" AIOS_SOURCE_DIR "' status --porcelain --untracked-files=no 2>/dev/null");
  return hash.empty() ? "unknown" : hash + (changed.empty() ? "" : "+changes");
}

std::string number(double value) {
  return value >= 1000 ? fmt::format("{:.0f}", value)
         : value >= 10 ? fmt::format("{:.1f}", value)
                       : fmt::format("{:.3f}", value);
}

[[noreturn]] void usage(std::string_view name, std::string_view problem) {
  fmt::print(stderr,
             "bench {}: {}\nusage: [--seconds N] [--minutes N] [--folder DIR] [--json FILE]\n",
             name, problem);
  std::exit(2);
}

}  // namespace

bool Row::holds() const {
  return !mark || (better == Better::higher ? value >= *mark : value <= *mark);
}

Options read_options(int argc, char** argv, std::string_view name, double seconds,
                     double seconds_max) {
  const std::string base = AIOS_SOURCE_DIR "/build/bench";
  Options options;
  options.seconds = seconds;
  options.folder = fmt::format("{}/{}-data", base, name);
  options.json = fmt::format("{}/{}.json", base, name);
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (i + 1 == argc) {
      usage(name, fmt::format("'{}' has no value", argument));
    }
    const char* value = argv[++i];
    if (argument == "--seconds" || argument == "--minutes") {
      char* end = nullptr;
      options.seconds = std::strtod(value, &end) * (argument == "--minutes" ? 60 : 1);
      if (*end != '\0' || !(options.seconds >= 0.05) || options.seconds > seconds_max) {
        usage(name,
              fmt::format("{} '{}', wanted 0.05 to {:g} seconds", argument, value, seconds_max));
      }
    } else if (argument == "--folder") {
      options.folder = value;
    } else if (argument == "--json") {
      options.json = value;
    } else {
      usage(name, fmt::format("unknown option '{}'", argument));
    }
  }
  return options;
}

Report::Report(std::string_view name) : name_(name) {}

bool Report::finish(const std::string& json) const {
  JsonArray rows;
  fmt::print("\n{:<28} {:>12} {:<10} {:>10}  holds\n", "row", "value", "unit", "mark");
  for (const Row& row : rows_) {
    const std::string bound =
        row.mark ? (row.better == Better::higher ? ">= " : "<= ") + fmt::format("{:g}", *row.mark)
                 : "";
    fmt::print("{:<28} {:>12} {:<10} {:>10}  {}\n", row.name, number(row.value), row.unit, bound,
               !row.mark     ? ""
               : row.holds() ? "yes"
                             : "NO");
    rows.push_back(JsonObject{{"name", row.name},
                              {"value", row.value},
                              {"unit", row.unit},
                              {"mark", row.mark ? Json(*row.mark) : Json(nullptr)},
                              {"holds", row.mark ? Json(row.holds()) : Json(nullptr)}});
  }
  JsonArray notes;
  for (const auto& text : notes_) {
    fmt::print("{}\n", text);
    notes.emplace_back(text);
  }
  const std::string where = machine();
  const std::string what = commit();
  fmt::print("machine {}\ncommit {}\n", where, what);
  std::error_code ignored;
  std::filesystem::create_directories(std::filesystem::path(json).parent_path(), ignored);
  std::ofstream file(json);
  file << to_pretty_text(JsonObject{{"name", name_},
                                    {"machine", where},
                                    {"commit", what},
                                    {"rows", std::move(rows)},
                                    {"notes", std::move(notes)}})
       << "\n";
  if (!file.flush()) {
    fmt::print(stderr, "bench {}: cannot write {}\n", name_, json);
    return false;
  }
  return true;
}

double quantile(std::vector<double> samples, double share) {
  if (samples.empty()) {
    return 0;
  }
  const auto at = static_cast<std::size_t>(share * static_cast<double>(samples.size() - 1));
  std::nth_element(samples.begin(), samples.begin() + static_cast<std::ptrdiff_t>(at),
                   samples.end());
  return samples[at];
}

Duration process_cpu() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto of = [](const timeval& time) {
    return Duration(std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec));
  };
  return of(usage.ru_utime) + of(usage.ru_stime);
}

std::uint64_t bytes_below(const std::string& directory) {
  std::uint64_t bytes = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    struct stat info{};
    if (entry.is_regular_file() && ::stat(entry.path().c_str(), &info) == 0) {
      bytes += static_cast<std::uint64_t>(info.st_blocks) * 512;
    }
  }
  return bytes;
}

double fdatasync_us(const std::string& directory, int times) {
  const std::string path = directory + "/fdatasync-probe";
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0) {
    return 0;
  }
  const std::string block(4096, 'x');
  std::vector<double> samples;
  for (int i = 0; i < times; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    const bool good = ::write(fd, block.data(), block.size()) == 4096 && ::fdatasync(fd) == 0;
    const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - begin;
    if (good) {
      samples.push_back(took.count());
    }
  }
  ::close(fd);
  ::unlink(path.c_str());
  return quantile(std::move(samples), 0.5);
}

}  // namespace aios::bench
