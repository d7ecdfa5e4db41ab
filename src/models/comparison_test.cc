// SPDX-License-Identifier: Apache-2.0
#include "models/comparison.h"

#include "models/advice.h"

#include <doctest/doctest.h>

#include <cmath>

namespace aios::models {
namespace {

/// Says what the text says: "as:LABEL", with a confidence behind "/" and a novelty behind "!".
class Parrot final : public Model {
 public:
  explicit Parrot(std::string mark, std::vector<std::string> labels)
      : mark_(std::move(mark)),
        labels_(std::move(labels)) {}
  Prediction predict(std::string_view text) const override {
    Prediction prediction;
    const std::size_t at = text.find(mark_);
    const std::string_view said =
        at == std::string_view::npos ? "?" : text.substr(at + mark_.size());
    prediction.best.label = std::string(said.substr(0, said.find(' ')));
    prediction.best.confidence = 0.5;
    const std::size_t sure = text.find("sure=");
    if (sure != std::string_view::npos) {
      prediction.best.confidence = std::stod(std::string(text.substr(sure + 5)));
    }
    const std::size_t odd = text.find("odd=");
    if (odd != std::string_view::npos) {
      prediction.novelty = std::stod(std::string(text.substr(odd + 4)));
    }
    return prediction;
  }
  const std::vector<std::string>& labels() const override { return labels_; }
  std::string serialize() const override { return ""; }

 private:
  std::string mark_;
  std::vector<std::string> labels_;
};

const Parrot new_one("new=", {"a", "b", "c"});
const Parrot old_one("old=", {"a", "b"});

std::vector<Example> rows(const std::string& text, const std::string& label, int count) {
  return std::vector<Example>(static_cast<std::size_t>(count), Example{text, label});
}

void append(std::vector<Example>* to, const std::vector<Example>& more) {
  to->insert(to->end(), more.begin(), more.end());
}

TEST_CASE("comparison: McNemar's exact test on counts done by hand") {
  CHECK(mcnemar_worse(0, 0) == doctest::Approx(1));
  CHECK(mcnemar_worse(3, 0) == doctest::Approx(0.125));
  CHECK(mcnemar_worse(4, 1) == doctest::Approx(6.0 / 32));
  CHECK(mcnemar_worse(0, 5) == doctest::Approx(1));
  CHECK(mcnemar_worse(500, 500) == doctest::Approx(0.5126).epsilon(0.001));
}

TEST_CASE("comparison: what both get right or wrong decides nothing") {
  std::vector<Example> all = rows("new=a old=a", "a", 50);
  append(&all, rows("new=x old=x", "b", 50));
  const Comparison found = compare_models(new_one, old_one, all, {});
  CHECK(found.passed());
  CHECK(found.lost == 0);
  CHECK(found.challenger_right == 50);
  CHECK(found.rows_digest == dataset_digest(all));
}

TEST_CASE("comparison: a loss over all is refused, and said in figures") {
  std::vector<Example> all = rows("new=a old=a", "a", 90);
  append(&all, rows("new=x old=a", "a", 3));
  append(&all, rows("new=a old=x", "a", 1));
  Comparison found = compare_models(new_one, old_one, all, {});
  CHECK(!found.passed());
  REQUIRE(found.losses.size() == 1);
  CHECK(found.losses[0].find("lost 3, won 1") != std::string::npos);
  append(&all, rows("new=a old=x", "a", 2));
  found = compare_models(new_one, old_one, all, {});
  CHECK(found.passed());
}

TEST_CASE("comparison: one label that falls is refused although the whole gains") {
  std::vector<Example> all = rows("new=a old=x", "a", 20);
  append(&all, rows("new=b old=b", "b", 12));
  append(&all, rows("new=x old=b", "b", 3));
  const Comparison found = compare_models(new_one, old_one, all, {});
  CHECK(!found.passed());
  REQUIRE(found.classes.size() == 2);
  CHECK(found.classes[0].verdict == ClassVerdict::as_good);
  CHECK(found.classes[1].verdict == ClassVerdict::worse);
  CompareGates wide;
  wide.class_loss_max = 0.25;
  CHECK(compare_models(new_one, old_one, all, wide).passed());
}

TEST_CASE("comparison: a label with too few rows is said and not judged, and so is one row") {
  std::vector<Example> all = rows("new=a old=a", "a", 300);
  append(&all, rows("new=x old=b", "b", 2));
  Comparison found = compare_models(new_one, old_one, all, {});
  CHECK(found.classes[1].verdict == ClassVerdict::too_few);
  CHECK(found.passed());
  CompareGates strict;
  strict.class_rows_min = 2;
  CHECK(!compare_models(new_one, old_one, all, strict).passed());
  all.pop_back();
  strict.class_rows_min = 1;
  CHECK(compare_models(new_one, old_one, all, strict).passed());
}

TEST_CASE("comparison: a new label must be known well enough") {
  std::vector<Example> all = rows("new=c old=a", "c", 7);
  append(&all, rows("new=a old=b", "c", 3));
  Comparison found = compare_models(new_one, old_one, all, {});
  CHECK(found.classes[0].verdict == ClassVerdict::learnt_new);
  CHECK(found.passed());
  append(&all, rows("new=a old=b", "c", 1));
  found = compare_models(new_one, old_one, all, {});
  CHECK(found.classes[0].verdict == ClassVerdict::not_learnt);
  CHECK(!found.passed());
  CHECK(compare_models(new_one, old_one, rows("new=a old=b", "c", 4), {}).classes[0].verdict ==
        ClassVerdict::too_few);
}

TEST_CASE("advice: Wilson's intervals against published figures") {
  const Share ten{1, 10};
  CHECK(ten.low() == doctest::Approx(0.0179).epsilon(0.01));
  CHECK(ten.high() == doctest::Approx(0.4042).epsilon(0.01));
  const Share none{0, 20};
  CHECK(none.low() == 0);
  CHECK(none.high() == doctest::Approx(0.1611).epsilon(0.01));
  CHECK(Share{20, 20}.high() == 1);
  CHECK(Share{0, 0}.high() == 1);
}

TEST_CASE("advice: the floor that keeps errors under the wish, and the safe one above it") {
  std::vector<Example> held = rows("new=a sure=0.9", "a", 300);
  append(&held, rows("new=a sure=0.7", "a", 97));
  append(&held, rows("new=a sure=0.7", "b", 3));
  append(&held, rows("new=a sure=0.5", "b", 50));
  const Advice advice = advise_on(new_one, held, {});
  REQUIRE(advice.counted);
  CHECK(advice.counted->automatic.part == 400);
  CHECK(advice.counted->errors.part == 3);
  CHECK(advice.counted->floor > 0.5);
  REQUIRE(advice.safe);
  CHECK(advice.safe->automatic.part == 300);
  CHECK(!advice.novelty);
  AdviceWish less;
  less.error_max = 0.001;
  CHECK(advise_on(new_one, held, less).counted->automatic.part == 300);
  CHECK(!advise_on(new_one, held, less).safe);
}

TEST_CASE("advice: texts out of scope that are sure are held by their novelty") {
  const std::vector<Example> held = rows("new=a sure=0.9 odd=0.3", "a", 300);
  AdviceWish wish;
  wish.out_of_scope = std::vector<std::string>(100, "new=a sure=0.95 odd=0.97");
  const Advice advice = advise_on(new_one, held, wish);
  CHECK(advice.novelty);
  REQUIRE(advice.safe);
  CHECK(advice.safe->novelty_max < 0.97);
  CHECK(advice.safe->automatic.part == 300);
  CHECK(advice.safe->out_of_scope.part == 0);
  CHECK(advice.table.front().out_of_scope.part == 100);
}

}  // namespace
}  // namespace aios::models
