// SPDX-License-Identifier: Apache-2.0
#include "bundle/learnt.h"

#include "core/crypto.h"
#include "core/text.h"
#include "models/engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace aios::bundle {
namespace {

constexpr std::uint64_t seed = 1;

/// Lengths go before texts, so that no two lists give the same.
std::string digest_of(const std::vector<models::EmbeddingText>& texts) {
  std::string all;
  for (const auto& [text, label] : texts) {
    all += fmt::format("{} {} {}{}", text.size(), label.size(), text, label);
  }
  return to_hex(view(sha256(all)));
}

Result<std::shared_ptr<const LearntEmbedding>> learn(
    const std::vector<models::EmbeddingText>& texts) {
  models::EngineRegistry engines;
  models::register_all_engines(engines);
  const auto* engine = engines.find_embedding("text_embedding");
  AIOS_ASSERT(engine != nullptr);
  models::TrainOptions options;
  options.seed = seed;
  auto model = engine->train(texts, options);
  if (!model.ok()) {
    return std::move(model).error();
  }
  std::string bytes = (*model)->serialize();
  return std::make_shared<const LearntEmbedding>(
      LearntEmbedding{*std::move(model), std::move(bytes)});
}

}  // namespace

std::shared_ptr<const LearntEmbedding> Learnt::find(const std::string& digest) {
  std::lock_guard lock(mutex_);
  const auto found = std::find_if(kept_.begin(), kept_.end(),
                                  [&](const Entry& entry) { return entry.digest == digest; });
  if (found == kept_.end()) {
    return nullptr;
  }
  kept_.splice(kept_.begin(), kept_, found);
  return kept_.front().embedding;
}

Result<std::shared_ptr<const LearntEmbedding>> Learnt::of(
    const std::vector<models::EmbeddingText>& texts) {
  std::string digest = digest_of(texts);
  if (auto known = find(digest)) {
    return known;
  }
  // Without the lock: another bundle is not to wait. Two of the same learn the same.
  auto made = learn(texts);
  if (!made.ok()) {
    return std::move(made).error();
  }
  std::lock_guard lock(mutex_);
  ++learnt_count_;
  kept_.push_front({std::move(digest), *made});
  if (kept_.size() > kept_max) {
    kept_.pop_back();
  }
  return *std::move(made);
}

std::uint64_t Learnt::learnt_count() const {
  std::lock_guard lock(mutex_);
  return learnt_count_;
}

}  // namespace aios::bundle
