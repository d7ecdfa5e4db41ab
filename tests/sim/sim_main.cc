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

/// What 100 seeds do at least (faulted: at most), some two thirds of what they do: an engine that
/// loses nothing because it does nothing fails here. A few seeds say nothing about that.
bool enough(const Report& total, std::uint64_t seeds, Kind kind) {
  constexpr std::uint64_t seeds_min = 25;
  struct Bound {
    const char* what;
    std::uint64_t seen, wanted;
  };
  const std::uint64_t of_files =
      kind == Kind::sqlite ? 1 : 0;  // of whole writes there are no parts
  const Bound floors[] = {
      {"acknowledged", total.acked, 560},
      {"completed", total.completed, 560},
      {"crashes", total.crashes, 1'150},
      {"crashes in the middle of a write", total.cut, 300 * of_files},
      {"torn writes", total.files.torn, 100 * of_files},
      {"failed syncs", total.files.failed_syncs, 40 * of_files},
      {"survived in doubt", total.survived, 20 * of_files},
      {"takeovers", total.takeovers, 250},
      {"requests", total.requests, 2'000},
      {"lookups", total.lookups, 150},
      {"incidents", total.incidents, 50},
      {"leaves", total.leaves, 7'000},
      {"signed and verified", total.signed_leaves, 7'000},
      {"events", total.events, 450},
      {"given to a run", total.delivered, 80},
      {"rivals for a key", total.rivals, 170},
      {"money moved", total.spent, 270},
      {"refused to move money", total.too_much, 60},
      {"waits", total.timers, 400},
      {"in doubt", total.in_doubt, 400},
  };
  bool holds = seeds > 0;
  for (const Bound& floor : floors) {
    if (seeds >= seeds_min && floor.seen * 100 < floor.wanted * seeds) {
      fmt::print("{} {}: at least {} in 100 seeds wanted\n", floor.what, floor.seen, floor.wanted);
      holds = false;
    }
  }
  if (seeds >= seeds_min && total.faulted * 100 > 60 * seeds) {
    fmt::print("faulted {}: at most 60 in 100 seeds wanted\n", total.faulted);
    holds = false;
  }
  return holds;
}

void add(const Report& one, Report* total) {
  constexpr std::uint64_t Report::* counts[] = {
      &Report::started,      &Report::acked,       &Report::completed, &Report::faulted,
      &Report::crashes,      &Report::cut,         &Report::takeovers, &Report::requests,
      &Report::lookups,      &Report::incidents,   &Report::leaves,    &Report::events,
      &Report::delivered,    &Report::rivals,      &Report::spent,     &Report::too_much,
      &Report::timers,       &Report::transitions, &Report::in_doubt,  &Report::survived,
      &Report::signed_leaves};
  for (const auto count : counts) {
    total->*count += one.*count;
  }
  constexpr std::uint64_t aios::sim::FilesCount::* of_files[] = {
      &aios::sim::FilesCount::writes, &aios::sim::FilesCount::syncs,
      &aios::sim::FilesCount::lost,   &aios::sim::FilesCount::torn,
      &aios::sim::FilesCount::kept,   &aios::sim::FilesCount::failed_syncs};
  for (const auto count : of_files) {
    total->files.*count += one.files.*count;
  }
}

void print(const Report& total) {
  fmt::print(
      "runs {} (acknowledged {}, completed {}, faulted {}), crashes {} (in the middle of a write "
      "{}, taken over too early {}), transitions {} (in doubt {}, survived {}), requests {}, "
      "lookups {}, incidents {}, leaves {} (signed and verified {}), events {} (given to a run "
      "{}), "
      "rivals for a key {}, money moved {} times (refused {}), waits {}\n",
      total.started, total.acked, total.completed, total.faulted, total.crashes, total.cut,
      total.takeovers, total.transitions, total.in_doubt, total.survived, total.requests,
      total.lookups, total.incidents, total.leaves, total.signed_leaves, total.events,
      total.delivered, total.rivals, total.spent, total.too_much, total.timers);
  const auto& files = total.files;
  if (files.writes > 0) {
    fmt::print(
        "  files: writes {} (lost {}, torn {}, kept without a sync {}), syncs {} (failed {})\n",
        files.writes, files.lost, files.torn, files.kept, files.syncs, files.failed_syncs);
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
