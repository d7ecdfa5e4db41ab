// SPDX-License-Identifier: Apache-2.0
#pragma once
// bundle/names: what to say of a name that is not there.

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

/// The end of a message about a wrong name: the nearest right one, or all there are.
inline std::string hint(std::string_view wanted, const std::vector<std::string>& names) {
  const std::string near = nearest_name(wanted, names);
  if (!near.empty()) {
    return "; did you mean '" + near + "'?";
  }
  return names.empty() ? "; there is none" : "; there are: " + join(names, ", ");
}

}  // namespace aios::bundle
