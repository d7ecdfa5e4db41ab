// SPDX-License-Identifier: Apache-2.0
// What of a run's state is about money, as JSON.
#include "workflow/detail/state.h"

#include <utility>

#include <algorithm>

namespace aios::workflow {

void add_cost(std::vector<Cost>& costs, const std::string& currency, std::int64_t nano,
              bool estimated) {
  auto cost = std::find_if(costs.begin(), costs.end(),
                           [&](const Cost& one) { return one.currency == currency; });
  if (cost == costs.end()) {
    cost = costs.insert(costs.end(), Cost{currency});
  }
  cost->nano = nano > INT64_MAX - cost->nano ? INT64_MAX : cost->nano + nano;
  cost->estimated = cost->estimated || estimated;
}

JsonArray costs_json(const std::vector<Cost>& costs) {
  JsonArray out;
  for (const auto& cost : costs) {
    out.push_back(JsonObject{
        {"currency", cost.currency}, {"nano", cost.nano}, {"estimated", cost.estimated}});
  }
  return out;
}

std::vector<Cost> costs_of(const JsonArray& values) {
  std::vector<Cost> out;
  for (const auto& value : values) {
    out.push_back({std::string(text_or(value, "currency", "")), int_or(value, "nano", 0),
                   bool_or(value, "estimated", false)});
  }
  return out;
}

JsonArray held_json(const std::vector<HeldMoney>& held) {
  JsonArray out;
  for (const auto& one : held) {
    out.push_back(JsonObject{{"effect", one.effect}, {"reservation", one.reservation.to_json()}});
  }
  return out;
}

Result<std::vector<HeldMoney>> held_of(const JsonArray& values) {
  std::vector<HeldMoney> out;
  for (const auto& value : values) {
    const auto* found = find(value, "reservation");
    auto reservation = govern::Reservation::from_json(found == nullptr ? Json() : *found);
    if (!reservation.ok()) {
      return std::move(reservation).error().page(1034);
    }
    out.push_back({std::string(text_or(value, "effect", "")), std::move(*reservation)});
  }
  return out;
}

}  // namespace aios::workflow
