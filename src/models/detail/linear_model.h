// SPDX-License-Identifier: Apache-2.0
#pragma once
// models/detail/linear_model: one weight a label for every n-gram of the vocabulary, one label
// against the rest; scores become probabilities by softmax(score / temperature). Predicting
// allocates nothing but its answer; buffers are kept by each thread.

#include "core/result.h"
#include "models/detail/familiarity.h"
#include "models/detail/vocabulary.h"
#include "models/models.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace aios::models::detail {

inline constexpr std::size_t labels_max = 1'000;
inline constexpr std::size_t label_bytes_max = 200;
inline constexpr std::size_t features_max = std::size_t{1} << 20;
inline constexpr std::size_t weights_max = 14'000'000;  ///< a blob holds 64 MiB

struct LinearParts {
  std::vector<std::string> labels;  ///< sorted
  std::vector<float> priors;        ///< share of the training examples, by label
  float temperature = 1;
  Familiarity familiarity;
  Vocabulary vocabulary;
  /// [feature][stride]: the labels of one n-gram lie side by side; one more row for the bias.
  std::vector<float> weights;
  std::size_t stride() const { return (labels.size() + 3) / 4 * 4; }
};

class LinearModel final : public Model {
 public:
  explicit LinearModel(LinearParts parts) : parts_(std::move(parts)) {}
  Prediction predict(std::string_view text) const override;
  const std::vector<std::string>& labels() const override { return parts_.labels; }
  std::string serialize() const override;
  /// data_loss [AIOS-0703]: damaged, or of a newer format.
  static Result<std::unique_ptr<Model>> load(std::string_view bytes);

  const LinearParts& parts() const { return parts_; }
  /// Scores before the temperature, one a label; false when nothing of the text is known.
  bool score(const TextVector& vector, std::vector<float>& scores) const;

 private:
  LinearParts parts_;
};

}  // namespace aios::models::detail
