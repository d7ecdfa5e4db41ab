// SPDX-License-Identifier: Apache-2.0
#include "expr/position.h"

#include <utility>

namespace aios::expr {

const Positions::Entry* Positions::nearest(std::string_view pointer) const {
  for (;;) {
    auto found = entries_.find(std::string(pointer));
    if (found != entries_.end()) {
      return &found->second;
    }
    auto slash = pointer.rfind('/');
    if (slash == std::string_view::npos) {
      return nullptr;
    }
    pointer = pointer.substr(0, slash);
  }
}

Position Positions::of(std::string_view pointer) const {
  const auto* entry = nearest(pointer);
  return entry == nullptr ? Position{} : entry->value;
}

Position Positions::of_key(std::string_view pointer) const {
  const auto* entry = nearest(pointer);
  if (entry == nullptr) {
    return {};
  }
  return entry->key.line == 0 ? entry->value : entry->key;
}

void Positions::add(std::string pointer, Position value, Position key) {
  entries_[std::move(pointer)] = Entry{value, key};
}

void append_pointer(std::string& pointer, std::string_view member) {
  pointer += '/';
  for (char c : member) {
    if (c == '~') {
      pointer += "~0";
    } else if (c == '/') {
      pointer += "~1";
    } else {
      pointer += c;
    }
  }
}

}  // namespace aios::expr
