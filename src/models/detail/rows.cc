// SPDX-License-Identifier: Apache-2.0
#include "models/detail/rows.h"

#include <algorithm>
#include <cmath>

namespace aios::models::detail {
namespace {

/// Of a direction's spread against all spread: below it there is only rounding.
constexpr double spread_share_min = 1e-10;

/// to += factor * from
void add_scaled(float* __restrict__ to, const float* __restrict__ from, float factor,
                std::size_t width) {
  for (std::size_t i = 0; i < width; ++i) {
    to[i] += factor * from[i];
  }
}

}  // namespace

void SparseRows::add(const std::vector<TextVector::Slot>& slots) {
  for (const TextVector::Slot& slot : slots) {
    cells_.push_back({slot.feature, slot.value});
  }
  begins_.push_back(cells_.size());
}

Rows SparseRows::times(const Rows& right) const {
  Rows out(count(), right.width);
  for (std::size_t row = 0; row < count(); ++row) {
    for (std::size_t at = begins_[row]; at < begins_[row + 1]; ++at) {
      add_scaled(out.row(row), right.row(cells_[at].feature), cells_[at].value, right.width);
    }
  }
  return out;
}

Rows SparseRows::transposed_times(const Rows& right) const {
  Rows out(features_, right.width);
  for (std::size_t row = 0; row < count(); ++row) {
    for (std::size_t at = begins_[row]; at < begins_[row + 1]; ++at) {
      add_scaled(out.row(cells_[at].feature), right.row(row), cells_[at].value, right.width);
    }
  }
  return out;
}

void Scatter::add(const float* row) {
  for (std::size_t i = 0; i < width_; ++i) {
    const double left = row[i];
    double* to = values_.data() + i * width_;
    for (std::size_t j = 0; j <= i; ++j) {
      to[j] += left * static_cast<double>(row[j]);
    }
  }
}

void Scatter::scale(double factor) {
  for (double& value : values_) {
    value *= factor;
  }
}

double Scatter::trace() const {
  double sum = 0;
  for (std::size_t i = 0; i < width_; ++i) {
    sum += values_[i * width_ + i];
  }
  return sum;
}

void Scatter::add_to_diagonal(double value) {
  for (std::size_t i = 0; i < width_; ++i) {
    values_[i * width_ + i] += value;
  }
}

void Scatter::factorize() {
  const double least = trace() * spread_share_min;
  for (std::size_t i = 0; i < width_; ++i) {
    double* row = values_.data() + i * width_;
    for (std::size_t j = 0; j <= i; ++j) {
      const double* other = values_.data() + j * width_;
      double sum = row[j];
      for (std::size_t k = 0; k < j; ++k) {
        sum -= row[k] * other[k];
      }
      if (i == j) {
        row[i] = sum > least ? std::sqrt(sum) : 0.0;
      } else {
        row[j] = other[j] > 0 ? sum / other[j] : 0.0;
      }
    }
  }
}

void Scatter::whiten(float* row) const {
  for (std::size_t i = 0; i < width_; ++i) {
    const double* factor = values_.data() + i * width_;
    double sum = row[i];
    for (std::size_t k = 0; k < i; ++k) {
      sum -= static_cast<double>(row[k]) * factor[k];
    }
    row[i] = factor[i] > 0 ? static_cast<float>(sum / factor[i]) : 0.0F;
  }
}

void orthonormalize(Rows& rows) {
  for (int round = 0; round < 2; ++round) {  // the second mends what rounding left of the first
    Scatter scatter(rows.width);
    for (std::size_t i = 0; i < rows.count(); ++i) {
      scatter.add(rows.row(i));
    }
    scatter.factorize();
    for (std::size_t i = 0; i < rows.count(); ++i) {
      scatter.whiten(rows.row(i));
    }
  }
}

}  // namespace aios::models::detail
