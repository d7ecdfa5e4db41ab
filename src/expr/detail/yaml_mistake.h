// SPDX-License-Identifier: Apache-2.0
#pragma once
// expr/detail/yaml_mistake: what a person did where the YAML parser says only what it missed.

#include "expr/position.h"

#include <string>
#include <string_view>

namespace aios::expr::detail {

struct YamlMistake {
  Position place;
  std::string message;
};

/// @param mark  where the parser stopped; lines and columns from 1, 0 for unknown.
/// @param said  its own words, which stay where nothing better is known.
YamlMistake yaml_mistake(std::string_view text, Position mark, std::string_view said);

}  // namespace aios::expr::detail
