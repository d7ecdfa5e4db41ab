// SPDX-License-Identifier: Apache-2.0
#pragma once
// models/comparison: a new version against the one that serves, on the same held-out rows, row by
// row. What is the same for both says nothing; what only one of them gets right decides.

#include "core/json.h"
#include "models/models.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace aios::models {

enum class ClassVerdict : std::uint8_t {
  as_good = 1,
  worse = 2,
  too_few = 3,     ///< rows to judge: said, not judged
  learnt_new = 4,  ///< only the challenger knows the label, and well enough
  not_learnt = 5,  ///< only the challenger knows the label, and not well enough
};
std::string_view name_of(ClassVerdict verdict);

struct ClassComparison {
  std::string label;
  std::uint64_t rows = 0, champion_right = 0, challenger_right = 0;
  std::uint64_t lost = 0;  ///< rows that only the champion gets right
  std::uint64_t won = 0;   ///< rows that only the challenger gets right
  ClassVerdict verdict = ClassVerdict::as_good;
};

struct Comparison {
  std::string model;
  std::uint32_t challenger = 0, champion = 0;
  std::uint64_t rows = 0, champion_right = 0, challenger_right = 0, lost = 0, won = 0;
  std::uint64_t people_rows = 0;  ///< of rows: people's that were kept back
  std::uint64_t rows_gone = 0;    ///< people's rows that were kept back and are not there any more
  /// McNemar's exact test, one side: how likely so many losses among the rows that differ are when
  /// the two are as good as each other.
  double p_worse = 1;
  std::string rows_digest;
  CompareGates gates;
  std::vector<ClassComparison> classes;  ///< by label
  std::vector<std::string> losses;       ///< why the challenger loses; empty: it does not
  bool passed() const { return losses.empty(); }
};

/// @param rows  what neither of the two was trained on.
Comparison compare_models(const Model& challenger, const Model& champion,
                          const std::vector<Example>& rows, const CompareGates& gates);
/// P(at least `lost` of lost + won) when each is as likely as not.
double mcnemar_worse(std::uint64_t lost, std::uint64_t won);

Json to_json(const Comparison& comparison);

}  // namespace aios::models
