// SPDX-License-Identifier: Apache-2.0
#pragma once
// bundle/names: the names that a message about a wrong one offers (core/text: hint).

#include "core/text.h"

#include <string>
#include <string_view>
#include <vector>

namespace aios::bundle {

/// The names by which a map's entries are known, in its order.
template <class Map>
std::vector<std::string> names_of(const Map& map) {
  std::vector<std::string> names;
  for (const auto& [name, ignored] : map) {
    names.push_back(name);
  }
  return names;
}

}  // namespace aios::bundle
