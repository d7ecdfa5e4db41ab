// SPDX-License-Identifier: Apache-2.0
#pragma once
// bundle/names: the names that a message about a wrong one offers (core/text: hint).

#include "core/json.h"
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

/// Those of an object's members; none for anything else.
inline std::vector<std::string> keys_of(const Json* object) {
  std::vector<std::string> keys;
  if (object != nullptr && object->is_object()) {
    for (const auto& member : object->get_object()) {
      keys.emplace_back(member.key());
    }
  }
  return keys;
}

/// "datasets/intents.csv": "intents".
inline std::string stem_of(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  const std::string_view name = path.substr(slash == std::string_view::npos ? 0 : slash + 1);
  return std::string(name.substr(0, name.rfind('.')));
}

}  // namespace aios::bundle
