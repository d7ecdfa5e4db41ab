// SPDX-License-Identifier: Apache-2.0
// aios_sim: histories from seeds. Prints each seed that breaks something, and the counts. Ends with 1
// when one broke something, or when so little happened in many that nothing was proved.
#include "simulation.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <cstring>

namespace {

struct Options {
  std::uint64_t seeds = 100;
  std::uint64_t first = 1;
  double seconds = 0;  // 0: no limit
};

bool parse(int argc, char** argv, Options* out) {
  for (int i = 1; i + 1 < argc; i += 2) {
    if (std::strcmp(argv[i], "--seeds") == 0) {
      out->seeds = std::strtoull(argv[i + 1], nullptr, 10);
    } else if (std::strcmp(argv[i], "--seed") == 0) {
      out->first = std::strtoull(argv[i + 1], nullptr, 10);
    } else if (std::strcmp(argv[i], "--seconds") == 0) {
      out->seconds = std::strtod(argv[i + 1], nullptr);
    } else {
      return false;
    }
  }
  return argc % 2 == 1;
}

/// What 100 seeds do at least (faulted: at most), some two thirds of what they do: an engine that
/// loses nothing because it does nothing fails here. A few seeds say nothing about that.
bool enough(const aios::sim::Report& total, std::uint64_t seeds) {
  constexpr std::uint64_t seeds_min = 50;
  struct Bound {
    const char* what;
    std::uint64_t seen, wanted;
  };
  const Bound floors[] = {
      {"acknowledged", total.acked, 700},      {"completed", total.completed, 700},
      {"crashes", total.crashes, 900},         {"requests", total.requests, 2'200},
      {"lookups", total.lookups, 240},         {"incidents", total.incidents, 70},
      {"leaves", total.leaves, 6'500},         {"events", total.events, 300},
      {"given to a run", total.delivered, 60},
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

}  // namespace

int main(int argc, char** argv) {
  Options options;
  if (!parse(argc, argv, &options)) {
    fmt::print(stderr, "usage: aios_sim [--seeds N] [--seed FIRST] [--seconds LIMIT]\n");
    return 2;
  }
  const auto began = std::chrono::steady_clock::now();
  aios::sim::Report total;
  std::uint64_t done = 0, broken = 0;
  for (std::uint64_t seed = options.first; seed < options.first + options.seeds; ++seed) {
    const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - began;
    if (options.seconds > 0 && spent.count() > options.seconds) {
      break;
    }
    const auto report = aios::sim::simulate(seed);
    ++done;
    broken += report.violations.empty() ? 0 : 1;
    for (const auto& violation : report.violations) {
      fmt::print("seed {}: {}\n", seed, violation);
    }
    total.started += report.started;
    total.acked += report.acked;
    total.completed += report.completed;
    total.faulted += report.faulted;
    total.crashes += report.crashes;
    total.requests += report.requests;
    total.lookups += report.lookups;
    total.incidents += report.incidents;
    total.leaves += report.leaves;
    total.events += report.events;
    total.delivered += report.delivered;
  }
  fmt::print(
      "seeds {} from {}: {} broken; runs {} (acknowledged {}, completed {}, faulted {}), "
      "crashes {}, requests {}, lookups {}, incidents {}, leaves {}, "
      "events {} (given to a run {})\n",
      done, options.first, broken, total.started, total.acked, total.completed, total.faulted,
      total.crashes, total.requests, total.lookups, total.incidents, total.leaves, total.events,
      total.delivered);
  return enough(total, done) && broken == 0 ? 0 : 1;
}
