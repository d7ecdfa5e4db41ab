// SPDX-License-Identifier: Apache-2.0
// bench infer: the embedded text classifier: how long one prediction takes, and, where the public
// data set banking77 lies beside the project, how long training takes and how often it is right.
#include "must.h"
#include "report.h"

#include "core/text.h"
#include "expr/csv.h"
#include "models/models.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace aios::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t characters_max = 128;

std::string read_whole(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    give_up("cannot read " + path);
  }
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<models::Example> examples_of(const std::string& path, std::string_view label_column) {
  const std::string text = read_whole(path);
  auto table = expr::parse_csv(text, path);
  if (!table.ok()) {
    give_up(table.error().text());
  }
  const auto words = table->column("text");
  const auto label = table->column(label_column);
  if (!words || !label) {
    give_up(fmt::format("{} has no columns text and {}", path, label_column));
  }
  std::vector<models::Example> examples;
  for (const auto& row : table->rows) {
    examples.push_back({row.fields[*words], row.fields[*label]});
  }
  return examples;
}

std::unique_ptr<models::Model> train(const std::vector<models::Example>& examples,
                                     double* seconds) {
  models::EngineRegistry engines;
  models::register_all_engines(engines);
  models::TrainOptions options;
  options.seed = 7;
  const auto begin = Clock::now();
  auto model = engines.find("text_linear")->train(examples, options);
  *seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  if (!model.ok()) {
    give_up(model.error().text());
  }
  return std::move(*model);
}

struct Timing {
  double p50_us = 0;
  double p99_us = 0;
  double mean_us = 0;
  std::size_t texts = 0;
};

/// Each text of at most 128 characters, round and round; every prediction is timed on its own.
Timing time_predictions(const models::Model& model, const std::vector<models::Example>& examples,
                        double seconds) {
  std::vector<std::string_view> texts;
  for (const auto& example : examples) {
    if (example.text.size() <= characters_max) {
      texts.push_back(example.text);
    }
  }
  std::vector<double> samples;
  double checksum = 0;  // so that no call can be left out
  const auto end = Clock::now() + std::chrono::duration<double>(seconds);
  for (std::size_t i = 0; !texts.empty() && Clock::now() < end; ++i) {
    const auto begin = Clock::now();
    const auto prediction = model.predict(texts[i % texts.size()]);
    const std::chrono::duration<double, std::micro> took = Clock::now() - begin;
    checksum += prediction.best.confidence;
    samples.push_back(took.count());
  }
  Timing timing;
  timing.texts = texts.size();
  for (const double sample : samples) {
    timing.mean_us += sample / static_cast<double>(samples.size());
  }
  timing.p99_us = quantile(samples, 0.99);
  timing.p50_us = checksum > 0 ? quantile(std::move(samples), 0.5) : 0;
  return timing;
}

void measure_desk(const Options& options, Report* report) {
  const std::string folder = AIOS_SOURCE_DIR "/examples/support-desk/datasets/";
  const auto examples = examples_of(folder + "intents.csv", "label");
  const auto heldout = examples_of(folder + "intents-heldout.csv", "label");
  double train_s = 0;
  const auto model = train(examples, &train_s);
  const auto timing = time_predictions(*model, heldout, options.seconds);
  const auto found = models::evaluate(*model, heldout);
  report->add({"predict_us", timing.p50_us, "us", 50, Better::lower});
  report->add({"predict_p99_us", timing.p99_us, "us", std::nullopt, Better::lower});
  report->add({"train_s", train_s, "s", std::nullopt, Better::lower});
  report->add({"accuracy", found.accuracy, "", std::nullopt, Better::higher});
  report->note(fmt::format(
      "support desk: {} labels, {} examples; {} held-out texts of at most {} characters, mean "
      "{:.1f} "
      "us with the words that decided",
      model->labels().size(), examples.size(), timing.texts, characters_max, timing.mean_us));
}

std::string conformance_folder() {
  const char* given = std::getenv("AIOS_CONFORMANCE_DIR");
  return given != nullptr ? given : AIOS_SOURCE_DIR "/../shared/conformance";
}

void measure_banking(const Options& options, Report* report) {
  const std::string folder = conformance_folder() + "/banking77/";
  if (!std::filesystem::exists(folder + "train.csv")) {
    report->note("banking77: SKIPPED, the data set is not there (AIOS_CONFORMANCE_DIR)");
    return;
  }
  const auto examples = examples_of(folder + "train.csv", "category");
  const auto test = examples_of(folder + "test.csv", "category");
  double train_s = 0;
  const auto model = train(examples, &train_s);
  const auto found = models::evaluate(*model, test);
  const auto timing = time_predictions(*model, test, options.seconds / 2);
  double lowest = 1;
  for (const auto& [label, recall] : found.recall_by_label) {
    lowest = std::min(lowest, recall);
  }
  report->add({"banking77_train_s", train_s, "s", 60, Better::lower});
  report->add({"banking77_accuracy", found.accuracy, "", 0.90, Better::higher});
  report->add({"banking77_predict_us", timing.p50_us, "us", std::nullopt, Better::lower});
  report->note(fmt::format(
      "banking77 (Casanueva et al., 2020): {} labels, {} examples, {} test questions, macro recall "
      "{:.4f}, lowest recall of a label {:.3f}, calibration error {:.4f}",
      model->labels().size(), examples.size(), test.size(), found.macro_recall, lowest,
      found.calibration_error));
}

}  // namespace
}  // namespace aios::bench

int main(int argc, char** argv) {
  const auto options = aios::bench::read_options(argc, argv, "infer");
  aios::bench::Report report("infer");
  aios::bench::measure_desk(options, &report);
  aios::bench::measure_banking(options, &report);
  return report.finish(options.json) ? 0 : 1;
}
