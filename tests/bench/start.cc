// SPDX-License-Identifier: Apache-2.0
// bench start: the program itself as a process of its own: from its start on an empty data
// directory to the answer that it is ready, several times; and the memory that it has after ten
// seconds without a request. Method: docs/benchmarks.md.
#include "program.h"
#include "report.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace aios::bench {
namespace {

constexpr std::size_t starts = 11;
constexpr std::size_t idle_servers = 3;
constexpr double idle_seconds_max = 10;

int run(const Options& options) {
  std::filesystem::create_directories(options.folder);
  const double idle_seconds = std::min(idle_seconds_max, options.seconds * 2);
  std::vector<std::unique_ptr<Program>> idle;
  std::vector<double> ready_ms;
  for (std::size_t i = 0; i < starts; ++i) {
    auto program = std::make_unique<Program>(
        ProgramOptions{.folder = fmt::format("{}/{}", options.folder, i)});
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
    rss.push_back(memory_mb(one->pid(), "Rss"));
    anonymous.push_back(memory_mb(one->pid(), "Anonymous"));
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
