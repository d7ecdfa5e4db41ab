// SPDX-License-Identifier: Apache-2.0
// aios_noninterference: one tenant does the same twice, by itself and beside others who do all
// sorts of things with the same names and with its own ids. All that it is shown must be the same:
// status, headers, bodies, errors, order and number of ids, what is a repetition, and how long it
// took on the simulated clock. And nothing of the others' data or ids may stand in it.
//
//   --way further  the observed tenant is a further one; the others are the first one and another
//   --way first    the observed tenant is the first one, but for what is about all tenants
//   --way leaking  the others are given the observed tenant's own key: a difference must be found
#include "actor.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>

namespace {

using namespace aios;
using namespace aios::tenants;
using std::chrono::milliseconds;
using std::chrono::seconds;

struct Options {
  std::uint64_t seeds = 8;
  std::uint64_t first = 1;
  std::uint64_t steps = 80;
  std::uint64_t told = 0;  ///< requests of the first seed that are printed
  std::string way = "further";
  std::string folder = "noninterference-data";
};

bool parse(int argc, char** argv, Options* out) {
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = argv[i];
    const std::string value = argv[i + 1];
    const std::uint64_t number = std::strtoull(value.c_str(), nullptr, 10);
    if (name == "--seeds") {
      out->seeds = number;
    } else if (name == "--seed") {
      out->first = number;
    } else if (name == "--steps") {
      out->steps = number;
    } else if (name == "--tell") {
      out->told = number;
    } else if (name == "--way") {
      out->way = value;
    } else if (name == "--folder") {
      out->folder = value;
    } else {
      return false;
    }
  }
  return argc % 2 == 1 && (out->way == "further" || out->way == "first" || out->way == "leaking");
}

constexpr const char* observed_memo = "wren-memo";
constexpr const char* others_memo = "walrus-memo";

/// One history; the observed tenant's part is the same in both.
struct History {
  std::vector<std::string> story;
  std::string heard;
  std::vector<std::string> others_ids;
  std::size_t good = 0, refused = 0, others_good = 0;
  std::string metrics;
};

class Stage {
 public:
  Stage(const Options& options, std::uint64_t seed, bool crowded)
      : options_(options),
        seed_(seed),
        crowded_(crowded),
        world_(options.folder) {}

  History play() {
    set_up();
    for (std::uint64_t step = 0; step < options_.steps; ++step) {
      const auto at = seconds(60) + step * milliseconds(2'000);
      for (std::size_t one = 0; one < others_.size(); ++one) {
        world_.wait_until(at - milliseconds(1'700) + one * milliseconds(611));
        others_[one]->act(observed_.get());
        if (step % 16 == 5) {
          world_.set_down(others_[one]->options().tenant, step % 32 == 5);
        }
      }
      world_.wait_until(at);
      observed_->act(others_.empty() ? nullptr : others_[step % others_.size()].get());
    }
    world_.wait_until(seconds(60) + options_.steps * milliseconds(2'000) + seconds(120));
    observed_->look_at_everything();
    return told();
  }

 private:
  void set_up() {
    const bool first = options_.way == "first";
    world_.wait_until(seconds(1));
    const std::string others_tenant = "alpha";
    std::string others_key;
    if (crowded_ || first) {  // the first one may know who else is there
      others_key = world_.make_tenant(others_tenant);
    }
    world_.wait_until(seconds(2));
    const std::string own_key = first ? world_.first_key() : world_.make_tenant("beta");
    observed_ = std::make_unique<Actor>(
        world_, ActorOptions{first ? "default" : "beta", own_key, seed_, observed_memo});
    if (crowded_) {
      const bool leaking = options_.way == "leaking";
      add(others_tenant, leaking ? own_key : others_key, seed_ + 1'000'000);
      if (!first) {
        add("default", leaking ? own_key : world_.first_key(), seed_ + 2'000'000);
      }
    }
    int at = 4;
    for (const auto& other : others_) {
      world_.wait_until(seconds(at));
      other->set_up();
      at += 10;
    }
    world_.wait_until(seconds(40));
    observed_->set_up();
  }

  void add(const std::string& tenant, const std::string& key, std::uint64_t seed) {
    others_.push_back(
        std::make_unique<Actor>(world_, ActorOptions{tenant, key, seed, others_memo}));
  }

  History told() {
    History out;
    out.story = observed_->story();
    out.heard = observed_->heard();
    out.good = observed_->answered(2);
    out.refused = observed_->answered(4);
    for (const auto& other : others_) {
      out.others_good += other->answered(2);
      for (const auto& [kind, ids] : other->seen().all()) {
        out.others_ids.insert(out.others_ids.end(), ids.begin(), ids.end());
      }
    }
    out.metrics = world_.ask({"GET", "/metrics", world_.first_key(), "", {}}).body;
    return out;
  }

  const Options& options_;
  std::uint64_t seed_;
  bool crowded_;
  World world_;
  std::unique_ptr<Actor> observed_;
  std::vector<std::unique_ptr<Actor>> others_;
};

/// @return a sentence for what differs first; empty: nothing does
std::string difference(const History& alone, const History& crowded) {
  const std::size_t both = std::min(alone.story.size(), crowded.story.size());
  for (std::size_t step = 0; step < both; ++step) {
    if (alone.story[step] != crowded.story[step]) {
      return fmt::format("request {} differs.\nby itself:\n{}\nbeside others:\n{}", step,
                         alone.story[step], crowded.story[step]);
    }
  }
  return alone.story.size() == crowded.story.size() ? "" : "another number of requests";
}

std::string what_leaks(const History& crowded) {
  if (crowded.heard.find(others_memo) != std::string::npos) {
    return "a word of another's data was shown";
  }
  for (const std::string& id : crowded.others_ids) {
    if (crowded.heard.find(id) != std::string::npos) {
      return fmt::format("another's id {} was shown", id);
    }
    if (crowded.metrics.find(id) != std::string::npos) {
      return fmt::format("a metric names {}", id);
    }
  }
  const bool memo = crowded.metrics.find(others_memo) != std::string::npos ||
                    crowded.metrics.find(observed_memo) != std::string::npos;
  return memo ? "a metric has a word of the data" : "";
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  if (!parse(argc, argv, &options)) {
    fmt::print(stderr,
               "usage: {} [--way further|first|leaking] [--seeds N] [--seed FIRST] [--steps N] "
               "[--tell N] [--folder DIR]\n",
               argv[0]);
    return 2;
  }
  std::size_t good = 0;
  std::size_t refused = 0;
  std::size_t others_good = 0;
  std::uint64_t differing = 0;
  for (std::uint64_t seed = options.first; seed < options.first + options.seeds; ++seed) {
    const History alone = Stage(options, seed, false).play();
    const History crowded = Stage(options, seed, true).play();
    for (std::size_t at = 0; seed == options.first && at < crowded.story.size(); ++at) {
      if (at < options.told) {
        fmt::print("--- {} {}\n", at, crowded.story[at]);
      }
    }
    good += crowded.good;
    refused += crowded.refused;
    others_good += crowded.others_good;
    std::string found = difference(alone, crowded);
    if (found.empty() && options.way != "leaking") {
      found = what_leaks(crowded);
    }
    if (!found.empty()) {
      ++differing;
      if (options.way != "leaking") {
        fmt::print("seed {}: {}\n", seed, found);
      }
    }
  }
  fmt::print("{} seeds: {} requests good, {} refused, {} of others good; {} differ\n",
             options.seeds, good, refused, others_good, differing);
  // What is compared must be something: more than a third of the requests do what was asked.
  const bool enough =
      good * 3 > options.seeds * options.steps && refused > 0 && others_good * 2 > good;
  const bool right = options.way == "leaking" ? differing == options.seeds : differing == 0;
  if (!enough) {
    fmt::print("too little happened to prove anything\n");
  }
  return enough && right ? 0 : 1;
}
