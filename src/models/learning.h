// SPDX-License-Identifier: Apache-2.0
#pragma once
// models/learning: rows that people made, before a model learns from them. A screening says of each
// row what becomes of it and why; nothing disappears. Threading: pure functions that block.

#include "core/result.h"
#include "core/time.h"
#include "models/models.h"

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace aios::models {

/// At most so many rows of people go into one training [AIOS-0721].
inline constexpr std::size_t correction_rows_max = 5'000;
/// Every fifth row, chosen by a digest of its text, is kept back: the gate measures with it.
inline constexpr unsigned kept_back_every = 5;

enum class RowUse : std::uint8_t {
  learnt = 1,
  kept_back = 2,
  refused = 3,
  held_out = 4,  ///< the held-out set has this text with this label already
};
std::string_view name_of(RowUse use);

struct RowVerdict {
  std::string id, label, by;
  Time at;
  RowUse use = RowUse::learnt;
  std::string reason;       ///< why it was refused; without any of the text
  std::string instead;      ///< the label that the evidence speaks for, "" when none
  std::string accepted_by;  ///< who took it in spite of a refusal, "" when nobody
};

Json to_json(const RowVerdict& verdict);

/// id of a row -> who accepted it.
using Accepted = std::map<std::string, std::string>;

struct ScreeningInput {
  const EngineEntry* engine = nullptr;
  std::uint64_t seed = 1;
  const std::vector<Example>* base = nullptr;
  const std::vector<Example>* heldout = nullptr;
  std::set<std::string> new_labels;  ///< besides those of the base
  Accepted accepted;
  std::shared_ptr<CancelState> cancel;
};

/// One verdict a row, in their order. A row is refused when
///  - its label is neither in the base nor among new_labels, or no word is in it;
///  - the base, the held-out set or most of the other rows have the same text with another label;
///  - models that were trained without it (on the base and the other rows) are sure of another
///    label, and the texts nearest to it speak for another one too (where they saw the label five
///    times at least: the first rows of a new label are not judged so);
///  - most of at least five rows of one person were refused for such reasons: then all of them.
/// @return what EngineEntry::train does, cancelled [AIOS-0702].
Result<std::vector<RowVerdict>> screen(const std::vector<CorrectionRow>& rows,
                                       const ScreeningInput& input);

/// What counts as the same text: its words, after case folding, in their order (hashed). Empty
/// without any word.
std::string same_text_key(std::string_view text);
bool is_kept_back(std::string_view text_key);

}  // namespace aios::models
