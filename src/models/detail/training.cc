// SPDX-License-Identifier: Apache-2.0
#include "models/detail/training.h"

#include "models/detail/shuffle.h"

#include <sys/resource.h>
#include <unistd.h>

#include <map>
#include <optional>
#include <thread>

namespace aios::models::detail {
namespace {

constexpr int low_priority = 10;
constexpr std::size_t split_share = 5;

/// Every fifth example of each label, in seeded order; a label with fewer than five keeps them all.
void split_off(TrainingJob& job) {
  std::map<std::string, std::vector<std::size_t>> by_label;
  for (std::size_t i = 0; i < job.examples.size(); ++i) {
    by_label[job.examples[i].label].push_back(i);
  }
  Shuffle shuffle(job.seed);
  std::vector<bool> held(job.examples.size());
  for (auto& [label, places] : by_label) {
    shuffle(places);
    for (std::size_t i = 0; i < places.size() / split_share; ++i) {
      held[places[i]] = true;
    }
  }
  std::vector<Example> kept;
  for (std::size_t i = 0; i < job.examples.size(); ++i) {
    auto& side = held[i] ? job.heldout : kept;
    side.push_back(std::move(job.examples[i]));
  }
  job.examples = std::move(kept);
}

Result<Trained> train_now(TrainingJob& job, runtime::Clock& clock) {
  const Instant begin = clock.instant();
  if (job.heldout.empty()) {
    split_off(job);
  }
  TrainOptions options;
  options.seed = job.seed;
  options.cancel = job.cancel;
  auto model = job.engine.train(job.examples, options);
  if (!model.ok()) {
    return std::move(model).error();
  }
  Trained trained;
  trained.bytes = (*model)->serialize();
  trained.heldout = evaluate(**model, job.heldout);
  trained.dataset_digest = dataset_digest(job.examples);
  trained.heldout_digest = dataset_digest(job.heldout);
  trained.examples = job.examples.size();
  trained.training = clock.instant() - begin;
  return trained;
}

}  // namespace

Result<Trained> run_training(TrainingJob job, runtime::Clock& clock) {
  std::optional<Result<Trained>> result;
  std::thread worker([&job, &clock, &result] {
    // On Linux a priority belongs to the thread; where it cannot be set, training is only less
    // polite.
    setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), low_priority);
    result.emplace(train_now(job, clock));
  });
  worker.join();
  return std::move(*result);
}

}  // namespace aios::models::detail
