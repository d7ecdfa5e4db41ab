// SPDX-License-Identifier: Apache-2.0
// aios_sim: histories from seeds. Prints each seed that breaks something, and the counts; exit code
// 1 then.
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
  }
  fmt::print(
      "seeds {} from {}: {} broken; runs {} (acknowledged {}, completed {}, faulted {}), "
      "crashes {}, requests {}, lookups {}, incidents {}, leaves {}\n",
      done, options.first, broken, total.started, total.acked, total.completed, total.faulted,
      total.crashes, total.requests, total.lookups, total.incidents, total.leaves);
  return broken == 0 ? 0 : 1;
}
