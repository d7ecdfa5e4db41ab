// SPDX-License-Identifier: Apache-2.0
#pragma once
// expr/detail/jq_box: what a Value points at when the evaluation made it.

#include "expr/detail/jq_value.h"

#include <cstdint>
#include <string>
#include <vector>

namespace aios::expr::detail {

struct Box {
  enum class Kind : std::uint8_t { string, array, object };
  Box(Kind box_kind, Budget& box_budget) : kind(box_kind), budget(&box_budget) {}

  /// Brings what the budget counts up to date with what the box holds now.
  void charge(std::size_t bytes) {
    budget->bytes += bytes;
    budget->bytes -= charged;
    charged = bytes;
    if (budget->bytes > budget->bytes_max) {
      budget->fail(Budget::Limit::memory);
    }
  }

  std::uint32_t references = 1;
  std::uint32_t depth = 0;
  Kind kind;
  Budget* budget;
  Box* next_dying = nullptr;
  std::size_t charged = 0;
};

struct StringBox : Box {
  StringBox(Budget& owner, std::string from) : Box(Kind::string, owner), text(std::move(from)) {
    settle();
  }
  void settle() { charge(sizeof(StringBox) + text.capacity()); }
  std::string text;
};

struct ArrayBox : Box {
  explicit ArrayBox(Budget& owner) : Box(Kind::array, owner) {
    depth = 1;
    settle();
  }
  void settle() { charge(sizeof(ArrayBox) + items.capacity() * sizeof(Value)); }
  std::vector<Value> items;
};

/// Members in the order of their first insertion; a table of positions once there are more than a
/// few.
struct ObjectBox : Box {
  explicit ObjectBox(Budget& owner) : Box(Kind::object, owner) {
    depth = 1;
    settle();
  }
  void settle() {
    charge(sizeof(ObjectBox) + members.capacity() * sizeof(Member) +
           table.capacity() * sizeof(std::uint32_t));
  }
  /// Position of the key, or members.size().
  std::size_t position(std::string_view key) const;
  void insert(Value key, Value value);
  void erase(std::size_t position);
  void build_table();

  std::vector<Member> members;
  std::vector<std::uint32_t> table;  // open addressing, position + 1; empty for small objects
};

}  // namespace aios::expr::detail
