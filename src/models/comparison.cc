// SPDX-License-Identifier: Apache-2.0
#include "models/comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

namespace aios::models {
namespace {

constexpr double p_worse_min = 0.05;

constexpr std::array<std::pair<ClassVerdict, std::string_view>, 5> verdict_words = {{
    {ClassVerdict::as_good, "as_good"},
    {ClassVerdict::worse, "worse"},
    {ClassVerdict::too_few, "too_few"},
    {ClassVerdict::learnt_new, "learnt_new"},
    {ClassVerdict::not_learnt, "not_learnt"},
}};

double share(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
}

bool knows(const Model& model, const std::string& label) {
  const auto& labels = model.labels();
  return std::find(labels.begin(), labels.end(), label) != labels.end();
}

ClassVerdict judge(const ClassComparison& found, const CompareGates& gates, bool new_label) {
  if (new_label) {
    if (found.rows < gates.new_rows_min) {
      return ClassVerdict::too_few;
    }
    return share(found.challenger_right, found.rows) >= gates.new_recall_min
               ? ClassVerdict::learnt_new
               : ClassVerdict::not_learnt;
  }
  if (found.rows < gates.class_rows_min) {
    return ClassVerdict::too_few;
  }
  // One row more or less is no evidence, however few there are.
  const bool worse = found.lost > found.won + 1 &&
                     share(found.lost - found.won, found.rows) > gates.class_loss_max;
  return worse ? ClassVerdict::worse : ClassVerdict::as_good;
}

void judge_class(ClassComparison& found, bool new_label, Comparison& result) {
  found.verdict = judge(found, result.gates, new_label);
  if (found.verdict == ClassVerdict::worse) {
    result.losses.push_back(
        fmt::format("'{}' falls from {} to {} right of {} rows, wanted a loss of at most {:.0f} %",
                    found.label, found.champion_right, found.challenger_right, found.rows,
                    100 * result.gates.class_loss_max));
  } else if (found.verdict == ClassVerdict::not_learnt) {
    result.losses.push_back(
        fmt::format("the new label '{}' is right on {} of {} rows, wanted {:.0f} %", found.label,
                    found.challenger_right, found.rows, 100 * result.gates.new_recall_min));
  }
}

void judge_all(Comparison& result) {
  result.p_worse = mcnemar_worse(result.lost, result.won);
  if (result.lost <= result.won) {
    return;
  }
  const double loss = share(result.lost - result.won, result.rows);
  if (loss > result.gates.overall_loss_max || result.p_worse < p_worse_min) {
    result.losses.push_back(
        fmt::format("right on {} of {} rows where the one that serves is right on {} (lost {}, won "
                    "{}, p {:.3f}), "
                    "wanted a loss of at most {:.1f} %",
                    result.challenger_right, result.rows, result.champion_right, result.lost,
                    result.won, result.p_worse, 100 * result.gates.overall_loss_max));
  }
}

}  // namespace

std::string_view name_of(ClassVerdict verdict) {
  for (const auto& [value, word] : verdict_words) {
    if (value == verdict) {
      return word;
    }
  }
  return "unknown";
}

double mcnemar_worse(std::uint64_t lost, std::uint64_t won) {
  const auto count = static_cast<double>(lost + won);
  double sum = 0;
  for (std::uint64_t k = lost; k <= lost + won; ++k) {
    const auto taken = static_cast<double>(k);
    sum += std::exp(std::lgamma(count + 1) - std::lgamma(taken + 1) -
                    std::lgamma(count - taken + 1) - count * std::log(2.0));
  }
  return std::min(1.0, sum);
}

Comparison compare_models(const Model& challenger, const Model& champion,
                          const std::vector<Example>& rows, const CompareGates& gates) {
  Comparison result;
  result.gates = gates;
  result.rows = rows.size();
  result.rows_digest = dataset_digest(rows);
  std::map<std::string, ClassComparison> classes;
  for (const Example& row : rows) {
    const bool is = challenger.predict(row.text).best.label == row.label;
    const bool was = champion.predict(row.text).best.label == row.label;
    ClassComparison& found = classes[row.label];
    ++found.rows;
    found.challenger_right += is ? 1 : 0;
    found.champion_right += was ? 1 : 0;
    found.lost += was && !is ? 1 : 0;
    found.won += is && !was ? 1 : 0;
  }
  for (auto& [label, found] : classes) {
    found.label = label;
    result.challenger_right += found.challenger_right;
    result.champion_right += found.champion_right;
    result.lost += found.lost;
    result.won += found.won;
    judge_class(found, knows(challenger, label) && !knows(champion, label), result);
    result.classes.push_back(found);
  }
  judge_all(result);
  return result;
}

Json to_json(const Comparison& comparison) {
  JsonArray classes;
  for (const ClassComparison& found : comparison.classes) {
    classes.push_back(JsonObject{{"label", found.label},
                                 {"rows", found.rows},
                                 {"champion_right", found.champion_right},
                                 {"challenger_right", found.challenger_right},
                                 {"lost", found.lost},
                                 {"won", found.won},
                                 {"verdict", name_of(found.verdict)}});
  }
  JsonArray losses(comparison.losses.begin(), comparison.losses.end());
  return JsonObject{{"model", comparison.model},
                    {"challenger", comparison.challenger},
                    {"champion", comparison.champion},
                    {"rows", comparison.rows},
                    {"people_rows", comparison.people_rows},
                    {"rows_gone", comparison.rows_gone},
                    {"rows_digest", comparison.rows_digest},
                    {"champion_right", comparison.champion_right},
                    {"challenger_right", comparison.challenger_right},
                    {"lost", comparison.lost},
                    {"won", comparison.won},
                    {"p_worse", comparison.p_worse},
                    {"gates",
                     {{"overall_loss_max", comparison.gates.overall_loss_max},
                      {"class_loss_max", comparison.gates.class_loss_max},
                      {"class_rows_min", comparison.gates.class_rows_min},
                      {"new_recall_min", comparison.gates.new_recall_min},
                      {"new_rows_min", comparison.gates.new_rows_min}}},
                    {"classes", std::move(classes)},
                    {"losses", std::move(losses)},
                    {"passed", comparison.passed()}};
}

}  // namespace aios::models
