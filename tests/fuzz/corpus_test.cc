// SPDX-License-Identifier: Apache-2.0
// The kept inputs (corpus/<target>/), each as it is, cut and damaged in many places: what a fuzzer
// tries first, without one.
#include "tests/fuzz/fuzz.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace aios::fuzz {
namespace {

constexpr std::size_t changes_max = 30;  // of one input, of each kind

std::filesystem::path corpus_of(std::string_view target) {
  return std::filesystem::path(AIOS_SOURCE_DIR) / "tests/fuzz/corpus" / target;
}

std::vector<std::filesystem::path> inputs_of(std::string_view target) {
  std::vector<std::filesystem::path> out;
  for (const auto& entry : std::filesystem::directory_iterator(corpus_of(target))) {
    out.push_back(entry.path());
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::string bytes_of(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  REQUIRE(in);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

/// The same numbers each time: splitmix64.
class Numbers {
 public:
  std::uint64_t below(std::uint64_t bound) {
    state_ += 0x9e3779b97f4a7c15;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return (z ^ (z >> 31)) % bound;
  }

 private:
  std::uint64_t state_ = 1;
};

/// One to four bytes replaced, a part doubled, or a part taken out.
std::string damaged(std::string text, Numbers& numbers) {
  constexpr std::array telling = {'\0', '\r', '\n', '\t', ' ',    '"',    '\'',   '{',   '}', '[',
                                  ']',  '%',  '\\', '/',  ':',    ';',    ',',    '.',   '-', '+',
                                  '0',  '1',  '9',  'e',  '\x7f', '\x80', '\xc3', '\xff'};
  const std::uint64_t at = numbers.below(text.size());
  const std::uint64_t length = 1 + numbers.below(std::min<std::uint64_t>(text.size() - at, 40));
  switch (numbers.below(4)) {
    case 0: return text.insert(at, text.substr(at, length));
    case 1: return text.erase(at, length);
    default: break;
  }
  for (std::uint64_t count = 1 + numbers.below(4); count > 0; --count) {
    text[numbers.below(text.size())] = telling[numbers.below(telling.size())];
  }
  return text;
}

/// An input as it is, its beginnings, and what damage makes of it.
void run_around(const Target& target, const std::string& text) {
  target.run(text);
  const std::size_t step = 1 + text.size() / changes_max;
  for (std::size_t size = 1; size < text.size(); size += step) {
    CAPTURE(size);
    target.run(std::string_view(text).substr(0, size));
  }
  Numbers numbers;
  for (std::size_t change = 0; change < changes_max; ++change) {
    const std::string changed = damaged(text, numbers);
    CAPTURE(changed);
    target.run(changed);
  }
}

}  // namespace

TEST_CASE("fuzz: every target takes its kept inputs, and all that is made of them by damage") {
  for (const Target& target : targets()) {
    SUBCASE(std::string(target.name).c_str()) {
      const auto inputs = inputs_of(target.name);
      CHECK_MESSAGE(inputs.size() >= 2, "the target has hardly any inputs");
      target.run("");
      for (const auto& path : inputs) {
        const std::string name = path.filename().string();
        CAPTURE(name);
        const std::string text = bytes_of(path);
        REQUIRE_FALSE(text.empty());
        run_around(target, text);
      }
    }
  }
}

TEST_CASE("fuzz: what is kept belongs to a target") {
  for (const auto& entry : std::filesystem::directory_iterator(corpus_of(""))) {
    const std::string name = entry.path().filename().string();
    CAPTURE(name);
    CHECK(std::any_of(targets().begin(), targets().end(),
                      [&](const Target& target) { return target.name == name; }));
  }
}

}  // namespace aios::fuzz
