// SPDX-License-Identifier: Apache-2.0
#pragma once
// expr/position: where a value of a parsed document stands in its text.

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

namespace aios::expr {

/// Line and column from 1, columns in code points; 0 means unknown.
struct Position {
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  bool operator==(const Position&) const = default;
};

/// Positions of one document by JSON pointer (RFC 6901).
class Positions {
 public:
  /// Of the value, or of its nearest known parent (what an alias brought has the alias's place).
  Position of(std::string_view pointer) const;
  /// Of the member's name; of the value where it has none (array elements, the root).
  Position of_key(std::string_view pointer) const;

  void add(std::string pointer, Position value, Position key);

 private:
  struct Entry {
    Position value;
    Position key;
  };
  const Entry* nearest(std::string_view pointer) const;
  std::unordered_map<std::string, Entry> entries_;
};

/// Appends "/member" with RFC 6901 escapes.
void append_pointer(std::string& pointer, std::string_view member);

}  // namespace aios::expr
