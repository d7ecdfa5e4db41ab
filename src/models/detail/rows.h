// SPDX-License-Identifier: Apache-2.0
#pragma once
// models/detail/rows: the little linear algebra that training needs. Everything is done in one
// order on one thread, so that the same numbers come out each time.

#include "models/detail/vocabulary.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace aios::models::detail {

/// A dense matrix, row by row.
struct Rows {
  Rows(std::size_t count, std::size_t row_width)
      : width(row_width),
        values(count * row_width, 0.0F) {}
  std::size_t count() const { return width == 0 ? 0 : values.size() / width; }
  float* row(std::size_t at) { return values.data() + at * width; }
  const float* row(std::size_t at) const { return values.data() + at * width; }
  std::size_t width = 0;
  std::vector<float> values;
};

/// A sparse matrix: texts over the features of a vocabulary.
class SparseRows {
 public:
  explicit SparseRows(std::size_t features) : features_(features) {}
  void add(const std::vector<TextVector::Slot>& slots);
  std::size_t count() const { return begins_.size() - 1; }
  std::size_t features() const { return features_; }
  Rows times(const Rows& right) const;             ///< this * right
  Rows transposed_times(const Rows& right) const;  ///< this' * right

 private:
  struct Cell {
    std::uint32_t feature = 0;
    float value = 0;
  };
  std::size_t features_ = 0;
  std::vector<Cell> cells_;
  std::vector<std::size_t> begins_{0};
};

/// A symmetric matrix of width * width, for sums over many rows.
class Scatter {
 public:
  explicit Scatter(std::size_t width) : width_(width), values_(width * width, 0.0) {}
  void add(const float* row);  ///< row' * row
  void scale(double factor);
  double trace() const;
  void add_to_diagonal(double value);
  /// Replaces it by its lower Cholesky factor L. Directions without any spread get zeros.
  void factorize();
  /// row := row * inverse(L'), after factorize(): in place; directions without spread become 0.
  void whiten(float* row) const;

 private:
  std::size_t width_ = 0;
  std::vector<double> values_;
};

/// Makes the columns orthonormal; columns that depend on the ones before become 0.
void orthonormalize(Rows& rows);

}  // namespace aios::models::detail
