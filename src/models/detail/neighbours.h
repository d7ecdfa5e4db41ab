// SPDX-License-Identifier: Apache-2.0
#pragma once
// models/detail/neighbours: labelled texts and the ones nearest to another text, by the cosine of
// their n-grams weighted by rarity.

#include "models/detail/vocabulary.h"
#include "models/models.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace aios::models::detail {

class Neighbours {
 public:
  /// The texts must outlive this.
  explicit Neighbours(std::vector<const Example*> texts);
  /// How near the nearest `count` texts are, added up by label; those of the same key as `key` (the
  /// text itself and its copies) are left out.
  std::map<std::string, double> votes(std::string_view text, std::string_view key,
                                      std::size_t count) const;

 private:
  struct Cell {
    std::uint32_t text = 0;
    float value = 0;
  };
  std::vector<const Example*> texts_;
  std::vector<std::string> keys_;
  Vocabulary vocabulary_;
  std::vector<std::vector<Cell>> by_feature_;
};

}  // namespace aios::models::detail
