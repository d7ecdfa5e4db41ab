// SPDX-License-Identifier: Apache-2.0
// aios_sim: histories from seeds. Prints each seed that breaks something, and the counts. Ends with
// 1 when one broke something, or when so little happened in many that nothing was proved.
#include "core/broken.h"
#include "simulation.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <cstring>

namespace {

using aios::sim::FilesCount;
using aios::sim::Kind;
using aios::sim::Report;

struct Options {
  Kind kind = Kind::memory;
  std::uint64_t seeds = 100;
  std::uint64_t first = 1;
  double seconds = 0;  // 0: no limit
  bool until_broken = false;
  bool each = false;
};

bool parse_pair(std::string_view name, const char* value, Options* out) {
  if (name == "--seeds") {
    out->seeds = std::strtoull(value, nullptr, 10);
  } else if (name == "--seed") {
    out->first = std::strtoull(value, nullptr, 10);
  } else if (name == "--seconds") {
    out->seconds = std::strtod(value, nullptr);
  } else if (name == "--engine" && std::strcmp(value, "sqlite") == 0) {
    out->kind = Kind::sqlite;
  } else {
    return name == "--engine" && std::strcmp(value, "memory") == 0;
  }
  return true;
}

bool parse(int argc, char** argv, Options* out) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view name(argv[i]);
    if (name == "--until-broken") {
      out->until_broken = true;
    } else if (name == "--each") {
      out->each = true;
    } else if (++i == argc || !parse_pair(name, argv[i], out)) {
      return false;
    }
  }
  return true;
}

/// A number that histories add up to. A floor is what 100 seeds bring at least, some two thirds of
/// what they do: an engine that loses nothing because it does nothing fails there.
template <class Of>
struct Count {
  enum class Asked : std::uint8_t { always, on_files };  // of whole writes there are no parts
  const char* name;
  std::uint64_t Of::* member;
  std::uint64_t floor = 0;
  Asked asked = Asked::always;
};

constexpr Count<Report> counts[] = {
    {"runs", &Report::started},
    {"acknowledged", &Report::acked, 560},
    {"completed", &Report::completed, 560},
    {"faulted", &Report::faulted},
    {"crashes", &Report::crashes, 1'150},
    {"crashes in the middle of a write", &Report::cut, 300, Count<Report>::Asked::on_files},
    {"takeovers", &Report::takeovers, 250},
    {"transitions", &Report::transitions},
    {"in doubt", &Report::in_doubt, 400},
    {"survived in doubt", &Report::survived, 20, Count<Report>::Asked::on_files},
    {"requests", &Report::requests, 2'000},
    {"lookups", &Report::lookups, 150},
    {"incidents", &Report::incidents, 50},
    {"leaves", &Report::leaves, 7'000},
    {"signed and verified", &Report::signed_leaves, 7'000},
    {"events", &Report::events, 450},
    {"given to a run", &Report::delivered, 80},
    {"rivals for a key", &Report::rivals, 170},
    {"money moved", &Report::spent, 270},
    {"refused to move money", &Report::too_much, 60},
    {"waits", &Report::timers, 400},
};
constexpr Count<FilesCount> file_counts[] = {
    {"writes", &FilesCount::writes},
    {"lost writes", &FilesCount::lost},
    {"torn writes", &FilesCount::torn, 100, Count<FilesCount>::Asked::on_files},
    {"kept without a sync", &FilesCount::kept},
    {"syncs", &FilesCount::syncs},
    {"failed syncs", &FilesCount::failed_syncs, 40, Count<FilesCount>::Asked::on_files},
};
constexpr std::uint64_t faulted_most = 60;  ///< in 100 seeds
constexpr std::uint64_t seeds_min = 25;     ///< fewer say nothing about floors

template <class Of>
bool reached(const Count<Of>& count, const Of& total, std::uint64_t seeds, Kind kind) {
  const bool asked = count.asked == Count<Of>::Asked::always || kind == Kind::sqlite;
  if (!asked || total.*count.member * 100 >= count.floor * seeds) {
    return true;
  }
  fmt::print("{} {}: at least {} in 100 seeds wanted\n", count.name, total.*count.member,
             count.floor);
  return false;
}

bool enough(const Report& total, std::uint64_t seeds, Kind kind) {
  if (seeds < seeds_min) {
    return seeds > 0;
  }
  bool holds = true;
  for (const auto& count : counts) {
    holds = reached(count, total, seeds, kind) && holds;
  }
  for (const auto& count : file_counts) {
    holds = reached(count, total.files, seeds, kind) && holds;
  }
  if (total.faulted * 100 > faulted_most * seeds) {
    fmt::print("faulted {}: at most {} in 100 seeds wanted\n", total.faulted, faulted_most);
    holds = false;
  }
  return holds;
}

void add(const Report& one, Report* total) {
  for (const auto& count : counts) {
    total->*count.member += one.*count.member;
  }
  for (const auto& count : file_counts) {
    total->files.*count.member += one.files.*count.member;
  }
}

template <class Of, std::size_t many>
void print(const Count<Of> (&of)[many], const Of& total) {
  for (const auto& count : of) {
    fmt::print("{}{} {}", &count == of ? "" : ", ", count.name, total.*count.member);
  }
  fmt::print("\n");
}

void print(const Report& total) {
  print(counts, total);
  if (total.files.writes > 0) {
    fmt::print("  files: ");
    print(file_counts, total.files);
  }
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  if (!parse(argc, argv, &options)) {
    fmt::print(stderr,
               "usage: aios_sim [--engine memory|sqlite] [--seeds N] [--seed FIRST] "
               "[--seconds LIMIT] [--until-broken] [--each]\n");
    return 2;
  }
  if (!aios::broken_note().empty()) {
    fmt::print("aios_sim:{}\n", aios::broken_note());
  }
  ::setenv("TMPDIR", "/dev/shm", 0);  // what is not simulated need not be synced to a real disk
  const auto began = std::chrono::steady_clock::now();
  Report total;
  std::uint64_t done = 0, broken = 0;
  for (std::uint64_t seed = options.first; seed < options.first + options.seeds; ++seed) {
    const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - began;
    if ((options.seconds > 0 && spent.count() > options.seconds) ||
        (options.until_broken && broken > 0)) {
      break;
    }
    const auto report = aios::sim::simulate(seed, options.kind);
    ++done;
    broken += report.violations.empty() ? 0 : 1;
    for (const auto& violation : report.violations) {
      fmt::print("seed {}: {}\n", seed, violation);
    }
    if (options.each) {
      fmt::print("seed {}: ", seed);
      print(report);
    }
    add(report, &total);
  }
  fmt::print("seeds {} from {}, engine {}: {} broken; ", done, options.first,
             options.kind == Kind::sqlite ? "sqlite" : "memory", broken);
  print(total);
  return enough(total, done, options.kind) && broken == 0 ? 0 : 1;
}
