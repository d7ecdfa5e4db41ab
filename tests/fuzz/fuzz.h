// SPDX-License-Identifier: Apache-2.0
#pragma once
// tests/fuzz: what reads bytes from outside, fed with anything. A target is one function,
// targets/<name>.cc: it gives the input to a parser and ends the process (AIOS_ASSERT) where
// something does not hold that must hold whatever the input is. Targets are deterministic, work
// is bounded, nothing is kept between two calls but what never changes.

#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

namespace aios::fuzz {

struct Target {
  std::string_view name;
  void (*run)(std::string_view input) = nullptr;
};
/// All of them, by name; CMake writes the list from the files.
std::span<const Target> targets();

/// The text up to `mark` and what is behind it; all of it and nothing where there is no mark.
inline std::pair<std::string_view, std::string_view> cut(std::string_view text,
                                                         std::string_view mark) {
  const auto at = text.find(mark);
  return at == std::string_view::npos
             ? std::pair{text, std::string_view()}
             : std::pair{text.substr(0, at), text.substr(at + mark.size())};
}

/// The first byte as a choice below `count`, taken off the input; 0 where there is none.
inline std::uint8_t choose(std::string_view& input, std::uint8_t count) {
  if (input.empty()) {
    return 0;
  }
  const auto byte = static_cast<std::uint8_t>(input.front());
  input.remove_prefix(1);
  // what a person types counts from 'a'
  return static_cast<std::uint8_t>(byte >= 'a' ? byte - 'a' : byte) % count;
}

}  // namespace aios::fuzz
