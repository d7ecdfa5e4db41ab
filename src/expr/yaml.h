// SPDX-License-Identifier: Apache-2.0
#pragma once
// expr/yaml: one YAML 1.2 document (core schema) as Json, with the place of every value.
// `on`, `yes`, `no` and `off` are text. Refused, each with its place: a second document, duplicate
// keys, keys that are not scalars, merge keys (`<<`), unknown tags, numbers JSON lacks (.inf,
// .nan), an alias inside its own anchor.

#include "core/json.h"
#include "core/result.h"
#include "expr/position.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace aios::expr {

struct YamlLimits {
  std::size_t bytes_max = std::size_t{4} << 20;
  std::size_t depth_max = 100;
  /// Values after aliases are expanded; also bounds what a "billion laughs" text can become.
  std::size_t nodes_max = 200'000;
};

struct YamlDocument {
  Json value;
  Positions positions;
  std::string source{};

  /// Where a byte of the text value at `pointer` stands; nothing for one that an alias brought.
  std::optional<Position> inside(std::string_view pointer, std::string_view text,
                                 std::size_t offset) const;
};

/// An empty text is the value null.
/// @param file  named in errors.
/// @return invalid_argument [AIOS-0100] with file, line and column; resource_exhausted [AIOS-0101]
/// at a limit.
Result<YamlDocument> parse_yaml(std::string_view text, std::string_view file,
                                const YamlLimits& limits = {});

}  // namespace aios::expr
