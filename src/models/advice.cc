// SPDX-License-Identifier: Apache-2.0
#include "models/advice.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace aios::models {
namespace {

constexpr double z = 1.959963984540054;  // 95 %, both sides
constexpr int floors = 100;              // 0.00 to 0.99
constexpr std::array novelty_ceilings = {1.0,  0.99, 0.98, 0.97, 0.96, 0.95, 0.94, 0.93,
                                         0.92, 0.91, 0.90, 0.88, 0.86, 0.84, 0.82, 0.80,
                                         0.75, 0.70, 0.65, 0.60, 0.55, 0.50};

/// Wilson's interval (1927): centre and half its width.
std::pair<double, double> wilson(double part, double whole) {
  const double rate = part / whole;
  const double spread = z * z / whole;
  const double centre = (rate + spread / 2) / (1 + spread);
  const double half =
      z * std::sqrt(rate * (1 - rate) / whole + spread / (4 * whole)) / (1 + spread);
  return {centre, half};
}

struct Answer {
  double confidence = 0;
  double novelty = 0;
  bool right = false;
};

AdviceRow count(const std::vector<Answer>& inside, const std::vector<Answer>& outside, double floor,
                double ceiling) {
  AdviceRow row{floor, ceiling, {0, inside.size()}, {}, {0, outside.size()}};
  const auto passes = [floor, ceiling](const Answer& answer) {
    return answer.confidence >= floor && answer.novelty <= ceiling;
  };
  for (const Answer& answer : inside) {
    row.automatic.part += passes(answer) ? 1 : 0;
    row.errors.part += passes(answer) && !answer.right ? 1 : 0;
  }
  row.errors.whole = row.automatic.part;
  for (const Answer& answer : outside) {
    row.out_of_scope.part += passes(answer) ? 1 : 0;
  }
  return row;
}

void take_better(std::optional<AdviceRow>& best, const AdviceRow& row) {
  if (row.automatic.part > 0 && (!best || row.automatic.part > best->automatic.part)) {
    best = row;
  }
}

Json share_json(const Share& share) {
  if (share.whole == 0) {
    return nullptr;
  }
  return JsonObject{{"part", share.part},
                    {"whole", share.whole},
                    {"share", share.value()},
                    {"low", share.low()},
                    {"high", share.high()}};
}

Json row_json(const AdviceRow& row) {
  return JsonObject{{"floor", row.floor},
                    {"novelty_max", row.novelty_max},
                    {"automatic", share_json(row.automatic)},
                    {"errors", share_json(row.errors)},
                    {"out_of_scope", share_json(row.out_of_scope)}};
}

}  // namespace

double Share::value() const {
  return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
}

double Share::low() const {
  if (whole == 0 || part == 0) {
    return 0.0;
  }
  const auto [centre, half] = wilson(static_cast<double>(part), static_cast<double>(whole));
  return std::max(0.0, centre - half);
}

double Share::high() const {
  if (whole == 0 || part == whole) {
    return 1.0;
  }
  const auto [centre, half] = wilson(static_cast<double>(part), static_cast<double>(whole));
  return std::min(1.0, centre + half);
}

Advice advise_on(const Model& model, const std::vector<Example>& rows, AdviceWish wish) {
  Advice advice;
  advice.rows = rows.size();
  advice.out_of_scope = wish.out_of_scope.size();
  std::vector<Answer> inside;
  std::vector<Answer> outside;
  for (const Example& row : rows) {
    const Prediction said = model.predict(row.text);
    inside.push_back(
        {said.best.confidence, said.novelty.value_or(0), said.best.label == row.label});
    advice.novelty = advice.novelty || said.novelty.has_value();
  }
  for (const std::string& text : wish.out_of_scope) {
    const Prediction said = model.predict(text);
    outside.push_back({said.best.confidence, said.novelty.value_or(0), false});
  }
  for (const double ceiling : novelty_ceilings) {
    for (int step = 0; step < floors; ++step) {
      const AdviceRow row = count(inside, outside, step / 100.0, ceiling);
      const bool strangers = outside.empty() || row.out_of_scope.value() <= wish.out_of_scope_max;
      const bool no_strangers = outside.empty() || row.out_of_scope.high() <= wish.out_of_scope_max;
      if (strangers && row.errors.value() <= wish.error_max) {
        take_better(advice.counted, row);
      }
      if (no_strangers && row.errors.high() <= wish.error_max) {
        take_better(advice.safe, row);
      }
      if (ceiling == 1.0 && (step % 5 == 0 || step > 90)) {
        advice.table.push_back(row);
      }
    }
  }
  wish.out_of_scope.clear();
  advice.wish = std::move(wish);
  return advice;
}

Json to_json(const Advice& advice) {
  JsonArray table;
  for (const AdviceRow& row : advice.table) {
    table.push_back(row_json(row));
  }
  return JsonObject{{"model", advice.model},
                    {"version", advice.version},
                    {"rows", advice.rows},
                    {"out_of_scope", advice.out_of_scope},
                    {"novelty", advice.novelty},
                    {"error_max", advice.wish.error_max},
                    {"out_of_scope_max", advice.wish.out_of_scope_max},
                    {"table", std::move(table)},
                    {"counted", advice.counted ? row_json(*advice.counted) : Json(nullptr)},
                    {"safe", advice.safe ? row_json(*advice.safe) : Json(nullptr)}};
}

}  // namespace aios::models
