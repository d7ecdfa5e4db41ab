// SPDX-License-Identifier: Apache-2.0
#include "core/codec.h"
#include "core/crypto.h"
#include "models/detail/neighbours.h"
#include "models/detail/text_grams.h"
#include "models/learning.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <unordered_map>

namespace aios::models {
namespace {

constexpr std::size_t folds = 5;
constexpr std::size_t neighbours_asked = 9;
constexpr double sure_from = 0.6;       ///< confidence of a model that has not seen the row
constexpr double neighbours_for = 0.5;  ///< share of the nearness that another label must have
constexpr std::size_t person_rows_min = 5;
constexpr std::size_t label_rows_min = 5;

using Labels = std::map<std::string, std::size_t>;  ///< how often each

struct Screener {
  const std::vector<CorrectionRow>& rows;
  const ScreeningInput& input;
  std::vector<std::string> keys;
  std::vector<RowVerdict> verdicts;

  bool open(std::size_t row) const {
    return verdicts[row].use != RowUse::refused && verdicts[row].use != RowUse::held_out &&
           verdicts[row].accepted_by.empty();
  }
  void refuse(std::size_t row, std::string reason, std::string instead) {
    RowVerdict& verdict = verdicts[row];
    if (verdict.accepted_by.empty() && verdict.use != RowUse::refused) {
      verdict.use = RowUse::refused;
      verdict.reason = std::move(reason);
      verdict.instead = std::move(instead);
    }
  }
  void start();
  void check_labels();
  void check_given(const std::vector<Example>& given, std::string_view where, bool frozen);
  void check_each_other();
  Result<void> check_unseen();
  Result<void> check_fold(std::size_t fold, const std::vector<Example>& base,
                          const detail::Neighbours& neighbours);
  void check_people();
  void keep_back();
};

std::size_t fold_of(std::string_view key) {
  return static_cast<unsigned char>(sha256(key)[1]) % folds;
}

void Screener::start() {
  for (const CorrectionRow& row : rows) {
    keys.push_back(same_text_key(row.text));
    RowVerdict verdict{row.id, row.label, row.by, row.at, RowUse::learnt, "", "", ""};
    const auto accepted = input.accepted.find(row.id);
    if (accepted != input.accepted.end()) {
      verdict.accepted_by = accepted->second;
    }
    verdicts.push_back(std::move(verdict));
  }
}

/// Nobody can accept these: a model cannot learn them.
void Screener::check_labels() {
  std::set<std::string, std::less<>> known(input.new_labels.begin(), input.new_labels.end());
  for (const Example& example : *input.base) {
    known.insert(example.label);
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (keys[i].empty() || !known.contains(rows[i].label)) {
      verdicts[i].accepted_by.clear();
      refuse(i,
             keys[i].empty() ? "no word is in it"
                             : "no data has this label, and the model declares it not",
             "");
    }
  }
}

void Screener::check_given(const std::vector<Example>& given, std::string_view where, bool frozen) {
  std::unordered_map<std::string, Labels> labels;
  for (const Example& example : given) {
    ++labels[same_text_key(example.text)][example.label];
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto same = labels.find(keys[i]);
    if (same == labels.end() || verdicts[i].use == RowUse::refused) {
      continue;
    }
    if (!same->second.contains(rows[i].label)) {
      refuse(i, fmt::format("{} has the same text with another label", where),
             same->second.begin()->first);
    }
    if (frozen && verdicts[i].use != RowUse::refused) {
      verdicts[i].use = RowUse::held_out;  // an accepted one too: what is measured is not learnt
    }
  }
}

/// The same text several times with several labels: what most say stays, of a tie nothing.
void Screener::check_each_other() {
  std::unordered_map<std::string, Labels> labels;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (verdicts[i].use == RowUse::learnt) {
      ++labels[keys[i]][rows[i].label];
    }
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (verdicts[i].use != RowUse::learnt) {
      continue;
    }
    const Labels& same = labels[keys[i]];
    const std::size_t own = same.at(rows[i].label);
    for (const auto& [label, count] : same) {
      if (label != rows[i].label && count >= own) {
        refuse(i, "other rows have the same text with another label", count > own ? label : "");
        break;
      }
    }
  }
}

/// Models that have not seen a row, and the texts nearest to it, must both speak against its label.
Result<void> Screener::check_unseen() {
  std::vector<Example> made;
  made.reserve(rows.size());  // the neighbours point into it
  std::vector<const Example*> texts;
  for (const Example& example : *input.base) {
    texts.push_back(&example);
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (verdicts[i].use == RowUse::learnt) {
      made.push_back({rows[i].text, rows[i].label});
      texts.push_back(&made.back());
    }
  }
  if (made.empty()) {
    return {};
  }
  const detail::Neighbours neighbours(std::move(texts));
  for (std::size_t fold = 0; fold < folds; ++fold) {
    auto checked = check_fold(fold, *input.base, neighbours);
    if (!checked.ok()) {
      return checked;
    }
  }
  return {};
}

Result<void> Screener::check_fold(std::size_t fold, const std::vector<Example>& base,
                                  const detail::Neighbours& neighbours) {
  std::vector<Example> seen = base;
  std::vector<std::size_t> unseen;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (fold_of(keys[i]) == fold && open(i)) {
      unseen.push_back(i);
    } else if (fold_of(keys[i]) != fold && verdicts[i].use == RowUse::learnt) {
      seen.push_back({rows[i].text, rows[i].label});
    }
  }
  Labels known;
  for (const Example& example : seen) {
    ++known[example.label];
  }
  // Of a label that hardly anybody has used yet a model cannot know better than a person.
  std::erase_if(
      unseen, [this, &known](std::size_t row) { return known[rows[row].label] < label_rows_min; });
  if (unseen.empty()) {
    return {};
  }
  TrainOptions options;
  options.seed = input.seed;
  options.cancel = input.cancel;
  auto model = input.engine->train(seen, options);
  if (!model.ok()) {
    return std::move(model).error().with("screening the corrections");
  }
  for (const std::size_t row : unseen) {
    const Prediction said = (*model)->predict(rows[row].text);
    if (said.best.label == rows[row].label || said.best.confidence < sure_from) {
      continue;
    }
    auto votes = neighbours.votes(rows[row].text, keys[row], neighbours_asked);
    double all = 0;
    for (const auto& [label, near] : votes) {
      all += near;
    }
    if (all > 0 && (all - votes[rows[row].label]) / all > neighbours_for) {
      refuse(row,
             fmt::format("models that had not seen it say '{}' with {:.2f}, and so do the texts "
                         "nearest to it, {:.0f} % of which have another label",
                         said.best.label, said.best.confidence,
                         100 * (1 - votes[rows[row].label] / all)),
             said.best.label);
    }
  }
  return {};
}

void Screener::check_people() {
  struct Count {
    std::size_t rows = 0;
    std::size_t refused = 0;
  };
  std::map<std::string, Count> people;
  for (const RowVerdict& verdict : verdicts) {
    Count& count = people[verdict.by];
    ++count.rows;
    count.refused += verdict.use == RowUse::refused ? 1 : 0;
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Count& count = people[rows[i].by];
    if (open(i) && count.rows >= person_rows_min && count.refused * 2 > count.rows) {
      refuse(
          i,
          fmt::format("{} of {} rows of the same person were refused", count.refused, count.rows),
          "");
    }
  }
}

void Screener::keep_back() {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (verdicts[i].use == RowUse::learnt && is_kept_back(keys[i])) {
      verdicts[i].use = RowUse::kept_back;
    }
  }
}

}  // namespace

std::string_view name_of(RowUse use) {
  switch (use) {
    case RowUse::learnt: return "learnt";
    case RowUse::kept_back: return "kept_back";
    case RowUse::refused: return "refused";
    case RowUse::held_out: return "held_out";
  }
  return "unknown";
}

Json to_json(const RowVerdict& verdict) {
  JsonObject row{{"id", verdict.id},
                 {"label", verdict.label},
                 {"by", verdict.by},
                 {"at", to_rfc3339(verdict.at)},
                 {"use", name_of(verdict.use)}};
  for (const auto& [name, text] :
       {std::pair("reason", &verdict.reason), std::pair("instead", &verdict.instead),
        std::pair("accepted_by", &verdict.accepted_by)}) {
    if (!text->empty()) {
      row[name] = *text;
    }
  }
  return row;
}

std::string same_text_key(std::string_view text) {
  detail::Grams grams;
  grams.read(text);
  Writer key;
  for (const detail::Gram& gram : grams.word_grams()) {
    if (gram.words == 1) {
      key.varint(gram.hash);
    }
  }
  return key.take();
}

bool is_kept_back(std::string_view text_key) {
  return static_cast<unsigned char>(sha256(text_key)[0]) % kept_back_every == 0;
}

Result<std::vector<RowVerdict>> screen(const std::vector<CorrectionRow>& rows,
                                       const ScreeningInput& input) {
  Screener screener{rows, input, {}, {}};
  screener.start();
  screener.check_labels();
  screener.check_given(*input.heldout, "the held-out set", true);
  screener.check_given(*input.base, "the data set", false);
  screener.check_each_other();
  auto checked = screener.check_unseen();
  if (!checked.ok()) {
    return std::move(checked).error();
  }
  screener.check_people();
  screener.keep_back();
  return std::move(screener.verdicts);
}

}  // namespace aios::models
