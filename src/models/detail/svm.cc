// SPDX-License-Identifier: Apache-2.0
#include "models/detail/svm.h"

#include "core/result.h"

#include <linear.h>

#include <algorithm>

namespace aios::models::detail {
namespace {

constexpr double cost = 1.0;
constexpr double tolerance = 0.01;

void be_quiet(const char* /*text*/) {}

}  // namespace

struct SvmProblem::Rows {
  std::size_t features = 0;
  std::vector<std::vector<feature_node>> rows;
};

SvmProblem::SvmProblem(std::size_t features) : rows_(std::make_unique<Rows>()) {
  rows_->features = features;
  set_print_string_function(be_quiet);
}
SvmProblem::~SvmProblem() = default;

void SvmProblem::add_row(const std::vector<TextVector::Slot>& slots) {
  std::vector<feature_node> row;
  row.reserve(slots.size() + 2);
  for (const TextVector::Slot& slot : slots) {
    row.push_back({static_cast<int>(slot.feature) + 1, slot.value});
  }
  std::sort(row.begin(), row.end(),
            [](const feature_node& a, const feature_node& b) { return a.index < b.index; });
  row.push_back({static_cast<int>(rows_->features) + 1, 1.0});  // the bias
  row.push_back({-1, 0.0});
  rows_->rows.push_back(std::move(row));
}

std::vector<double> SvmProblem::solve(const std::vector<bool>& positive,
                                      std::vector<double> start) const {
  const auto positives = std::count(positive.begin(), positive.end(), true);
  std::vector<double> weights(rows_->features + 1, 0.0);
  if (positives == 0 || static_cast<std::size_t>(positives) == positive.size()) {
    weights.back() = positives == 0 ? -1.0 : 1.0;  // nothing to tell apart
    return weights;
  }
  std::vector<double> sides(positive.size());
  std::vector<feature_node*> rows(positive.size());
  for (std::size_t i = 0; i < positive.size(); ++i) {
    sides[i] = positive[i] ? 1.0 : -1.0;
    rows[i] = rows_->rows[i].data();
  }
  problem task{};
  task.l = static_cast<int>(rows.size());
  task.n = static_cast<int>(rows_->features) + 1;
  task.y = sides.data();
  task.x = rows.data();
  task.bias = -1;  // it is a feature of the rows already
  parameter options{};
  options.solver_type = L2R_L2LOSS_SVC;
  options.eps = tolerance;
  options.C = cost;
  options.init_sol = start.size() == weights.size() ? start.data() : nullptr;
  model* solved = train(&task, &options);
  AIOS_ASSERT(solved->label[0] == 1);  // of 1 and -1 LIBLINEAR always takes 1 as the positive side
  weights.assign(solved->w, solved->w + weights.size());
  free_and_destroy_model(&solved);
  return weights;
}

}  // namespace aios::models::detail
