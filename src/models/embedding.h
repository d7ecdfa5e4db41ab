// SPDX-License-Identifier: Apache-2.0
#pragma once
// models/embedding: texts as vectors, learnt in this process from the tenant's own texts. Made by
// an engine (engines/*.cc) like any model; no weights come from elsewhere.

#include "core/result.h"

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace aios::models {

struct TrainOptions;

/// A text to learn from. Texts of one label are said to mean the same; an empty label says nothing.
struct EmbeddingText {
  std::string text;
  std::string label;
};

/// Immutable, thread-safe.
class Embedding {
 public:
  virtual ~Embedding() = default;
  /// Texts that mean the same point the same way. The length, 0 to 1, tells how much of the text is
  /// like what was learnt from; 0 where nothing in it is known. Only the first 8,192 bytes count.
  virtual std::vector<float> embed(std::string_view text) const = 0;
  virtual std::size_t dimensions() const = 0;
  virtual std::string serialize() const = 0;
};

/// The same texts and seed give the same bytes.
struct EmbeddingEntry {
  using Made = Result<std::unique_ptr<Embedding>>;
  std::string name;
  std::string summary;
  /// invalid_argument [AIOS-0710] for texts that cannot be learnt from, cancelled [AIOS-0702].
  std::function<Made(const std::vector<EmbeddingText>&, const TrainOptions&)> train;
  std::function<Made(std::string_view bytes)> load;  ///< data_loss [AIOS-0711] when damaged
};

}  // namespace aios::models
