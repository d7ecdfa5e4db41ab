// SPDX-License-Identifier: Apache-2.0
#pragma once
// models/detail/shuffle: an order from a seed, the same on every machine (SplitMix64).

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace aios::models::detail {

class Shuffle {
 public:
  explicit Shuffle(std::uint64_t seed) : state_(seed) {}
  template <class T>
  void operator()(std::vector<T>& values) {
    for (std::size_t left = values.size(); left > 1; --left) {
      std::swap(values[left - 1], values[next() % left]);
    }
  }

 private:
  std::uint64_t next() {
    state_ += 0x9E3779B97F4A7C15ULL;
    std::uint64_t mixed = (state_ ^ (state_ >> 30)) * 0xBF58476D1CE4E5B9ULL;
    mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBULL;
    return mixed ^ (mixed >> 31);
  }
  std::uint64_t state_;
};

}  // namespace aios::models::detail
