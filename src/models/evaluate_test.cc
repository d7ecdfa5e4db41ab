// SPDX-License-Identifier: Apache-2.0
#include "models/models.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>

namespace aios::models {
namespace {

/// Says "a" for every text, as surely as it is told.
class Constant final : public Model {
 public:
  explicit Constant(double confidence) : confidence_(confidence) {}
  Prediction predict(std::string_view) const override {
    Prediction prediction;
    prediction.best = {"a", confidence_};
    prediction.top = {{"a", confidence_}, {"b", 1 - confidence_}};
    return prediction;
  }
  const std::vector<std::string>& labels() const override { return labels_; }
  std::string serialize() const override { return {}; }

 private:
  double confidence_;
  std::vector<std::string> labels_ = {"a", "b"};
};

TEST_CASE("evaluate: counts by label, and measures confidence against truth") {
  const std::vector<Example> examples = {{"1", "a"}, {"2", "a"}, {"3", "a"}, {"4", "b"}};
  const Evaluation honest = evaluate(Constant(0.75), examples);
  CHECK(honest.examples == 4);
  CHECK(honest.accuracy == doctest::Approx(0.75));
  CHECK(honest.macro_recall == doctest::Approx(0.5));
  CHECK(honest.recall_by_label.at("a") == doctest::Approx(1.0));
  CHECK(honest.recall_by_label.at("b") == doctest::Approx(0.0));
  CHECK(honest.calibration_error == doctest::Approx(0.0));
  CHECK(honest.log_loss == doctest::Approx(0.5623).epsilon(0.001));
  const Evaluation boastful = evaluate(Constant(1.0), examples);
  CHECK(boastful.calibration_error == doctest::Approx(0.25));
  CHECK(boastful.log_loss > honest.log_loss);
  CHECK(evaluate(Constant(0.5), {}).examples == 0);
}

TEST_CASE("evaluate: labels of the model that no example has are named") {
  CHECK(evaluate(Constant(0.5), {{"1", "a"}, {"2", "b"}}).unmeasured.empty());
  CHECK(evaluate(Constant(0.5), {{"1", "a"}}).unmeasured == std::vector<std::string>{"b"});
  CHECK(evaluate(Constant(0.5), {}).unmeasured == std::vector<std::string>{"a", "b"});
}

TEST_CASE("dataset_digest: changes with every byte and with the order") {
  const std::string digest = dataset_digest({{"ab", "c"}, {"d", "e"}});
  CHECK(digest.size() == 64);
  CHECK(digest == dataset_digest({{"ab", "c"}, {"d", "e"}}));
  CHECK(digest != dataset_digest({{"d", "e"}, {"ab", "c"}}));
  CHECK(digest != dataset_digest({{"a", "bc"}, {"d", "e"}}));
}

TEST_CASE("read_examples: takes the two columns wherever they stand") {
  const auto examples = read_examples("label,id,text\r\nx,1,\"a, b\"\r\n y ,2,c\r\n", "f.csv");
  REQUIRE(examples.ok());
  REQUIRE(examples->size() == 2);
  CHECK((*examples)[0].text == "a, b");
  CHECK((*examples)[1].label == "y");
  const auto none = read_examples("text,label\n", "f.csv");
  REQUIRE(none.ok());
  CHECK(none->empty());
}

TEST_CASE("read_examples: refuses missing columns and empty cells, with the place") {
  const auto columns = read_examples("text,category\na,b\n", "f.csv");
  REQUIRE(!columns.ok());
  CHECK(columns.error().page() == 701);
  CHECK(columns.error().text().find("text, category") != std::string::npos);
  const auto label = read_examples("text,label\na,b\nc,\n", "f.csv");
  REQUIRE(!label.ok());
  CHECK(label.error().line() == 3);
  CHECK(!read_examples("text,label\n\"\",b\n", "f.csv").ok());
}

/// Empty when the file is not there.
std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<Example> banking77(const std::string& file) {
  const char* directory = std::getenv("AIOS_CONFORMANCE_DIR");
  const std::string base =
      directory != nullptr ? directory : AIOS_SOURCE_DIR "/../shared/conformance";
  std::string csv = read_file(base + "/banking77/" + file);
  const std::string header = "text,category";
  if (csv.compare(0, header.size(), header) != 0) {
    return {};
  }
  csv.replace(0, header.size(), "text,label");
  auto examples = read_examples(csv, file);
  REQUIRE(examples.ok());
  return std::move(*examples);
}

TEST_CASE("banking77: twenty of the intents are told apart on questions never seen") {
  const auto train = banking77("train.csv");
  const auto test = banking77("test.csv");
  if (train.empty() || test.empty()) {
    MESSAGE("SKIPPED: banking77 (no conformance data)");
    return;
  }
  CHECK(train.size() == 10003);
  CHECK(test.size() == 3080);
  std::map<std::string, int> chosen;
  for (const Example& example : train) {
    if (chosen.size() < 20) {
      chosen.emplace(example.label, 0);
    }
  }
  const auto part = [&chosen](const std::vector<Example>& all, int per_label) {
    auto left = chosen;
    std::vector<Example> some;
    for (const Example& example : all) {
      const auto at = left.find(example.label);
      if (at != left.end() && at->second++ < per_label) {
        some.push_back(example);
      }
    }
    return some;
  };
  EngineRegistry engines;
  register_all_engines(engines);
  auto model = engines.find("text_linear")->train(part(train, 50), {});
  REQUIRE(model.ok());
  const Evaluation result = evaluate(**model, part(test, 40));
  MESSAGE(
      fmt::format("banking77, 20 intents, 50 examples each: {} questions, accuracy {:.4f}, "
                  "calibration error {:.4f}",
                  result.examples, result.accuracy, result.calibration_error));
  CHECK(result.examples == 800);
  CHECK(result.accuracy >= 0.90);
  CHECK(result.calibration_error <= 0.08);
}

}  // namespace
}  // namespace aios::models
