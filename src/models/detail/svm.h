// SPDX-License-Identifier: Apache-2.0
#pragma once
// models/detail/svm: one label against the rest, by LIBLINEAR (linear.h stays in svm.cc). The
// primal solver with squared hinge loss uses no randomness, so the same rows give the same weights
// whatever other threads do.

#include "models/detail/vocabulary.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace aios::models::detail {

class SvmProblem {
 public:
  explicit SvmProblem(std::size_t features);
  ~SvmProblem();
  SvmProblem(const SvmProblem&) = delete;
  SvmProblem& operator=(const SvmProblem&) = delete;

  void add_row(const std::vector<TextVector::Slot>& slots);
  /// @param positive  by row: whether it has the label.
  /// @param start  where to begin, in the form of the result: nearer the solution is sooner there.
  /// @return a weight a feature, then the bias.
  std::vector<double> solve(const std::vector<bool>& positive, std::vector<double> start) const;

 private:
  struct Rows;
  std::unique_ptr<Rows> rows_;
};

}  // namespace aios::models::detail
