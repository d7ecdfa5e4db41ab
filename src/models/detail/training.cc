// SPDX-License-Identifier: Apache-2.0
#include "models/detail/training.h"

#include "core/codec.h"
#include "models/detail/shuffle.h"

#include <fmt/format.h>

#include <sys/resource.h>
#include <unistd.h>

#include <initializer_list>
#include <map>
#include <optional>
#include <thread>
#include <unordered_set>

namespace aios::models::detail {
namespace {

constexpr int low_priority = 10;
constexpr std::size_t split_share = 5;
constexpr std::uint8_t frozen_format = 1;

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

/// What is measured must not be learnt: lines of the data that the held-out sets have go.
Result<std::uint64_t> drop_leaks(TrainingJob& job,
                                 std::initializer_list<const std::vector<Example>*> sets) {
  std::unordered_set<std::string> held;
  for (const auto* rows : sets) {
    for (const Example& example : *rows) {
      held.insert(same_text_key(example.text));
    }
  }
  const std::size_t before = job.examples.size();
  std::erase_if(job.examples, [&held](const Example& example) {
    return held.contains(same_text_key(example.text));
  });
  const std::size_t leaked = before - job.examples.size();
  if (leaked * 2 > before) {
    return Error(
               Code::invalid_argument,
               fmt::format("found {} of {} lines of the data in the held-out set too, wanted other "
                           "texts there",
                           leaked, before))
        .page(728);
  }
  return leaked;
}

Result<std::uint64_t> divide(TrainingJob& job) {
  if (job.heldout.empty()) {
    split_off(job);
    return drop_leaks(job, {&job.kept_away});
  }
  return drop_leaks(job, {&job.heldout, &job.kept_away});
}

Result<std::vector<RowVerdict>> screen_now(const TrainingJob& job) {
  ScreeningInput input;
  input.engine = &job.engine;
  input.seed = job.seed;
  input.base = &job.examples;
  input.heldout = &job.heldout;
  input.new_labels = job.new_labels;
  input.accepted = job.accepted;
  input.cancel = job.cancel;
  return screen(job.rows, input);
}

Result<void> check_share(const std::vector<RowVerdict>& verdicts) {
  std::size_t refused = 0;
  std::string first;
  for (const RowVerdict& verdict : verdicts) {
    if (verdict.use == RowUse::refused) {
      first = refused == 0 ? fmt::format("{}: {}", verdict.id, verdict.reason) : first;
      ++refused;
    }
  }
  if (static_cast<double>(refused) > refused_share_max * static_cast<double>(verdicts.size())) {
    return Error(Code::failed_precondition,
                 fmt::format("{} of {} corrections contradict what is known, wanted at most {:.0f} "
                             "%; the first is {}",
                             refused, verdicts.size(), 100 * refused_share_max, first))
        .page(720);
  }
  return {};
}

/// Puts each row where its verdict says. Kept back ones are measured with, after the frozen ones.
void place_rows(TrainingJob& job, const std::vector<RowVerdict>& verdicts) {
  for (std::size_t i = 0; i < verdicts.size(); ++i) {
    if (verdicts[i].use == RowUse::learnt) {
      job.examples.push_back({job.rows[i].text, job.rows[i].label});
    } else if (verdicts[i].use == RowUse::kept_back) {
      job.heldout.push_back({job.rows[i].text, job.rows[i].label});
    }
  }
}

Result<Trained> train_now(TrainingJob& job, runtime::Clock& clock) {
  const Instant begin = clock.instant();
  auto leaked = divide(job);
  if (!leaked.ok()) {
    return std::move(leaked).error();
  }
  Trained trained;
  trained.leaked = *leaked;
  trained.frozen = frozen_bytes(job.heldout);
  if (!job.rows.empty()) {
    auto verdicts = screen_now(job);
    if (!verdicts.ok()) {
      return std::move(verdicts).error();
    }
    auto few = check_share(*verdicts);
    if (!few.ok()) {
      return std::move(few).error();
    }
    place_rows(job, *verdicts);
    trained.verdicts = std::move(*verdicts);
  }
  TrainOptions options;
  options.seed = job.seed;
  options.cancel = job.cancel;
  auto model = job.engine.train(job.examples, options);
  if (!model.ok()) {
    return std::move(model).error();
  }
  trained.labels = (*model)->labels();
  trained.bytes = (*model)->serialize();
  trained.heldout = evaluate(**model, job.heldout);
  trained.dataset_digest = dataset_digest(job.examples);
  trained.heldout_digest = dataset_digest(job.heldout);
  trained.examples = job.examples.size();
  trained.training = clock.instant() - begin;
  return trained;
}

template <class T>
Result<T> politely(const std::function<Result<T>()>& work) {
  std::optional<Result<T>> result;
  std::thread worker([&work, &result] {
    // On Linux a priority belongs to the thread; where it cannot be set, training is only less
    // polite.
    setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), low_priority);
    result.emplace(work());
  });
  worker.join();
  return std::move(*result);
}

}  // namespace

Result<Trained> run_training(TrainingJob job, runtime::Clock& clock) {
  return politely<Trained>([&job, &clock] { return train_now(job, clock); });
}

Result<std::vector<RowVerdict>> run_screening(TrainingJob job) {
  return politely<std::vector<RowVerdict>>([&job]() -> Result<std::vector<RowVerdict>> {
    auto leaked = divide(job);
    if (!leaked.ok()) {
      return std::move(leaked).error();
    }
    return screen_now(job);
  });
}

std::string frozen_bytes(const std::vector<Example>& rows) {
  Writer out;
  out.u8(frozen_format);
  out.varint(rows.size());
  for (const Example& row : rows) {
    out.bytes(row.text);
    out.bytes(row.label);
  }
  return out.take();
}

Result<std::vector<Example>> frozen_from(std::string_view bytes) {
  Reader in(bytes);
  std::vector<Example> rows;
  const bool known = in.u8() == frozen_format;
  const std::uint64_t count = in.varint();
  for (std::uint64_t i = 0; known && in.ok() && i < count; ++i) {
    std::string text(in.bytes());
    std::string label(in.bytes());
    rows.push_back({std::move(text), std::move(label)});
  }
  if (!known || !in.ok() || !in.at_end()) {
    return Error(Code::data_loss, "the held-out rows of a model version cannot be read").page(703);
  }
  return rows;
}

}  // namespace aios::models::detail
