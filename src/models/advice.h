// SPDX-License-Identifier: Apache-2.0
#pragma once
// models/advice: what a floor on the confidence, and a ceiling on the novelty, would let through
// without a person, and how often that would be wrong. Pure functions.

#include "core/json.h"
#include "models/models.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace aios::models {

struct AdviceWish {
  double error_max = 0.02;         ///< of what is automatic
  double out_of_scope_max = 0.05;  ///< of the texts that are none of the model's business
  std::vector<std::string> out_of_scope;
};

/// A share of counted things with Wilson's interval of 95 %.
struct Share {
  std::uint64_t part = 0, whole = 0;
  double value() const;
  double low() const;
  double high() const;
};

struct AdviceRow {
  double floor = 0;        ///< of the confidence
  double novelty_max = 1;  ///< 1: not looked at
  Share automatic;         ///< of the held-out rows
  Share errors;            ///< of the automatic ones
  Share out_of_scope;      ///< automatic ones of the texts out of scope
};

struct Advice {
  std::string model;
  std::uint32_t version = 0;
  std::uint64_t rows = 0, out_of_scope = 0;
  bool novelty = false;          ///< whether the version tells novelty
  AdviceWish wish;               ///< without the texts
  std::vector<AdviceRow> table;  ///< by floor, novelty not looked at
  /// The most automatic one whose shares meet the wish as counted.
  std::optional<AdviceRow> counted;
  /// The most automatic one of which the upper ends of the intervals meet the wish.
  std::optional<AdviceRow> safe;
};

Advice advise_on(const Model& model, const std::vector<Example>& rows, AdviceWish wish);
Json to_json(const Advice& advice);

}  // namespace aios::models
