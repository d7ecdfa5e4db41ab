// SPDX-License-Identifier: Apache-2.0
#include "models/detail/linear_trainer.h"

#include "models/detail/gram_counter.h"
#include "models/detail/linear_model.h"
#include "models/detail/shuffle.h"
#include "models/detail/svm.h"
#include "models/detail/temperature.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

namespace aios::models::detail {
namespace {

constexpr std::size_t examples_max = 1'000'000;
constexpr std::size_t text_bytes_total_max = std::size_t{16} << 20;  // about 1 GiB of rows
constexpr std::size_t folds = 5;
/// Above this many examples one fold of the five is enough to fit one number.
constexpr std::size_t all_folds_below = 3'000;

struct Dataset {
  const std::vector<Example>* examples = nullptr;
  std::vector<std::string> labels;    ///< sorted
  std::vector<std::size_t> label_of;  ///< by example
};

struct Steps {
  const TrainOptions* options;
  std::size_t done = 0;
  std::size_t total = 1;
  bool next() {
    ++done;
    if (options->progress) {
      options->progress(static_cast<double>(done) / static_cast<double>(total));
    }
    return !(options->cancel && options->cancel->cancelled());
  }
};

Error unfit(Code code, std::string message) { return Error(code, std::move(message)).page(700); }

Result<Dataset> prepare(const std::vector<Example>& examples) {
  if (examples.size() > examples_max) {
    return unfit(Code::resource_exhausted, fmt::format("found {} examples, wanted at most {}",
                                                       examples.size(), examples_max));
  }
  std::map<std::string, std::size_t> places;
  std::size_t bytes = 0;
  for (const Example& example : examples) {
    if (example.label.empty() || example.label.size() > label_bytes_max) {
      return unfit(Code::invalid_argument, fmt::format("found a label of {} bytes, wanted 1 to {}",
                                                       example.label.size(), label_bytes_max));
    }
    places.emplace(example.label, 0);
    bytes += std::min(example.text.size(), text_bytes_max);
  }
  if (places.size() < 2 || places.size() > labels_max) {
    return unfit(Code::invalid_argument,
                 fmt::format("found {} labels in {} examples, wanted 2 to {}", places.size(),
                             examples.size(), labels_max));
  }
  if (bytes > text_bytes_total_max) {
    return unfit(Code::resource_exhausted, fmt::format("found {} bytes of text, wanted at most {}",
                                                       bytes, text_bytes_total_max));
  }
  Dataset data;
  data.examples = &examples;
  for (auto& [label, place] : places) {
    place = data.labels.size();
    data.labels.push_back(label);
  }
  for (const Example& example : examples) {
    data.label_of.push_back(places.find(example.label)->second);
  }
  return data;
}

/// Which fold an example belongs to; every label is spread evenly.
std::vector<std::size_t> spread(const Dataset& data, std::uint64_t seed) {
  std::vector<std::vector<std::size_t>> by_label(data.labels.size());
  for (std::size_t i = 0; i < data.label_of.size(); ++i) {
    by_label[data.label_of[i]].push_back(i);
  }
  Shuffle shuffle(seed);
  std::vector<std::size_t> fold(data.label_of.size());
  std::size_t next = 0;
  for (std::vector<std::size_t>& places : by_label) {
    shuffle(places);
    for (const std::size_t place : places) {
      fold[place] = next++ % folds;
    }
  }
  return fold;
}

Vocabulary count_grams(const Dataset& data, const std::vector<std::size_t>& rows) {
  GramCounter counter;
  Grams grams;
  for (const std::size_t row : rows) {
    grams.read((*data.examples)[row].text);
    counter.add(grams, static_cast<std::uint32_t>(row));
  }
  const std::size_t stride = (data.labels.size() + 3) / 4 * 4;
  return counter.vocabulary(std::min(features_max, weights_max / stride - 1), rows.size());
}

/// Where one label's weights begin: at those of another model of the same labels, or at zero.
class Start {
 public:
  Start(const LinearParts* from, const Vocabulary& to) : from_(from), weights_(to.size() + 1) {
    if (from_ != nullptr) {
      for (const std::uint32_t hash : to.hashes()) {
        places_.push_back(from_->vocabulary.find(hash));
      }
      places_.push_back(static_cast<std::uint32_t>(from_->vocabulary.size()));  // the bias
    }
  }
  const std::vector<double>& of(std::size_t label) {
    for (std::size_t feature = 0; feature < places_.size(); ++feature) {
      const std::size_t place = places_[feature];
      weights_[feature] =
          place == no_feature ? 0.0 : from_->weights[place * from_->stride() + label];
    }
    return weights_;
  }

 private:
  const LinearParts* from_;
  std::vector<std::uint32_t> places_;
  std::vector<double> weights_;
};

/// Nothing when cancelled. @param from  a model of other rows to begin at, or null.
std::optional<LinearParts> fit(const Dataset& data, const std::vector<std::size_t>& rows,
                               const LinearParts* from, Steps& steps) {
  LinearParts parts;
  parts.labels = data.labels;
  parts.priors.assign(data.labels.size(), 0.0F);
  parts.vocabulary = count_grams(data, rows);
  const std::size_t features = parts.vocabulary.size();
  SvmProblem problem(features);
  TextVector vector;
  for (const std::size_t row : rows) {
    vector.read((*data.examples)[row].text, parts.vocabulary);
    problem.add_row(vector.slots());
    parts.priors[data.label_of[row]] += 1.0F / static_cast<float>(rows.size());
  }
  const std::size_t stride = parts.stride();
  parts.weights.assign((features + 1) * stride, 0.0F);
  std::vector<bool> positive(rows.size());
  Start start(from, parts.vocabulary);
  for (std::size_t label = 0; label < data.labels.size(); ++label) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      positive[i] = data.label_of[rows[i]] == label;
    }
    const std::vector<double> weights = problem.solve(positive, start.of(label));
    for (std::size_t feature = 0; feature < weights.size(); ++feature) {
      parts.weights[feature * stride + label] = static_cast<float>(weights[feature]);
    }
    if (!steps.next()) {
      return std::nullopt;
    }
  }
  return parts;
}

/// Scores the examples of one fold by a model that has not seen them, which is then left in *model.
/// False when cancelled.
bool score_fold(const Dataset& data, const std::vector<std::size_t>& fold_of, std::size_t fold,
                Steps& steps, std::optional<LinearModel>* model, std::vector<HeldOut>* held_out) {
  std::vector<std::size_t> seen;
  std::vector<bool> known(data.labels.size());
  for (std::size_t i = 0; i < fold_of.size(); ++i) {
    if (fold_of[i] != fold) {
      seen.push_back(i);
      known[data.label_of[i]] = true;
    }
  }
  // From zero: a model of another fold has seen what is scored here.
  auto parts = fit(data, seen, nullptr, steps);
  if (!parts) {
    return false;
  }
  model->emplace(std::move(*parts));
  TextVector vector;
  std::vector<float> scores;
  for (std::size_t i = 0; i < fold_of.size(); ++i) {
    if (fold_of[i] != fold || !known[data.label_of[i]]) {
      continue;
    }
    vector.read((*data.examples)[i].text, (*model)->parts().vocabulary);
    if ((*model)->score(vector, scores)) {
      scores.resize(data.labels.size());
      held_out->push_back({scores, data.label_of[i], vector.known_share()});
    }
  }
  return true;
}

Familiarity familiarity_of(const std::vector<HeldOut>& held_out) {
  std::vector<float> scores;
  scores.reserve(held_out.size());
  for (const HeldOut& example : held_out) {
    const float margin = *std::max_element(example.scores.begin(), example.scores.end());
    scores.push_back(Familiarity::score(margin, example.known_share));
  }
  return Familiarity::fit(std::move(scores));
}

}  // namespace

Result<std::unique_ptr<Model>> train_linear(const std::vector<Example>& examples,
                                            const TrainOptions& options) {
  auto data = prepare(examples);
  if (!data.ok()) {
    return std::move(data).error().with("training with engine text_linear");
  }
  const std::size_t rounds = examples.size() < all_folds_below ? folds : 1;
  Steps steps{&options, 0, (rounds + 1) * data->labels.size()};
  const std::vector<std::size_t> fold_of = spread(*data, options.seed);
  std::vector<HeldOut> held_out;
  std::optional<LinearModel> last;
  bool going = true;
  for (std::size_t fold = 0; going && fold < rounds; ++fold) {
    going = score_fold(*data, fold_of, fold, steps, &last, &held_out);
  }
  std::optional<LinearParts> parts;
  if (going) {
    std::vector<std::size_t> all(examples.size());
    for (std::size_t i = 0; i < all.size(); ++i) {
      all[i] = i;
    }
    parts = fit(*data, all, last ? &last->parts() : nullptr, steps);
  }
  if (!parts) {
    return Error(Code::cancelled, "the training was cancelled").page(702);
  }
  parts->temperature = fit_temperature(held_out);
  parts->familiarity = familiarity_of(held_out);
  return std::unique_ptr<Model>(std::make_unique<LinearModel>(std::move(*parts)));
}

}  // namespace aios::models::detail
