// SPDX-License-Identifier: Apache-2.0
// The articles of a bundle: what is refused, and how often the right one is found for questions
// that nothing was learnt from.
#include "bundle/detail/knowledge.h"

#include "core/text.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

namespace aios::bundle {
namespace {

Checked check(Files files) {
  workflow::FunctionRegistry functions;
  workflow::register_all_functions(functions);
  return check_bundle(std::move(files), {}, functions);
}

Bundle support_desk() {
  auto files = read_bundle_directory(AIOS_SOURCE_DIR "/examples/support-desk");
  REQUIRE(files.ok());
  auto checked = check(std::move(*files));
  REQUIRE(checked.bundle);
  return std::move(*checked.bundle);
}

struct Tally {
  std::size_t asked = 0, answered = 0, right = 0;
  double share_right() const {
    return answered == 0 ? 0 : static_cast<double>(right) / static_cast<double>(answered);
  }
  double share_answered() const {
    return static_cast<double>(answered) / static_cast<double>(asked);
  }
};

/// @param other  count the questions that are none of the desk's business, or those that are.
Tally ask_all(const data::Knowledge& knowledge, const std::vector<models::Example>& questions,
              bool other, double fit_min) {
  Tally tally;
  for (const auto& example : questions) {
    if ((example.label == "other") != other) {
      continue;
    }
    data::Question question;
    question.text = example.text;
    question.articles_max = 1;
    question.fit_min = fit_min;
    const auto found = knowledge.search(default_tenant(), question);
    ++tally.asked;
    if (!found.answers.empty()) {
      ++tally.answered;
      const auto& intents = found.answers.front().intents;
      tally.right += std::find(intents.begin(), intents.end(), example.label) != intents.end();
    }
  }
  return tally;
}

/// Of the table in docs/guide/knowledge.md: floor, answered, of these right, foreign ones answered.
std::vector<std::vector<double>> rows_of_the_guide() {
  std::ifstream page(AIOS_SOURCE_DIR "/docs/guide/knowledge.md");
  std::vector<std::vector<double>> rows;
  for (std::string line; std::getline(page, line);) {
    if (!line.starts_with("| 0")) {
      continue;
    }
    rows.emplace_back();
    for (const std::string_view cell : split(line, '|')) {
      if (!trim(cell).empty()) {
        rows.back().push_back(std::stod(std::string(cell)));
      }
    }
  }
  return rows;
}

}  // namespace

TEST_CASE(
    "check: an article that cannot be read, and an id given twice, are told with their place") {
  Files files{{"aios.yaml", "name: app\nversion: 1.0.0\n"},
              {"knowledge/a.md", "---\ntitle: A\nwrong: 1\n---\ntext\n"},
              {"knowledge/b.md", "---\nid: same\ntitle: B\n---\ntext\n"},
              {"knowledge/c.md", "---\nid: same\ntitle: C\n---\ntext\n"}};
  const auto checked = check(files);
  std::vector<std::string> found;
  for (const Error& error : checked.errors) {
    found.push_back(fmt::format("{}:{} {}", error.file(), error.line(), error.page()));
  }
  CHECK(std::count(found.begin(), found.end(), "knowledge/a.md:3 1601") == 1);
  CHECK(std::count(found.begin(), found.end(), "knowledge/c.md:1 1602") == 1);
}

TEST_CASE("knowledge: held-out data is never learnt from, labels only where an article answers") {
  const Bundle bundle = support_desk();
  auto heldout = models::read_examples(bundle.files.at(bundle.models.front().heldout), "heldout");
  REQUIRE(heldout.ok());
  for (const auto& text : texts_to_embed(bundle)) {
    CHECK(text.label != "other");
    CHECK(text.text != heldout->front().text);
  }
}

TEST_CASE(
    "support desk: the article found answers the question, and nothing fits what is not ours") {
  const Bundle bundle = support_desk();
  REQUIRE(bundle.articles.size() >= 15);
  Learnt learnt;
  auto made = make_corpus(bundle, "", &learnt);
  REQUIRE(made.ok());
  data::Knowledge knowledge;
  REQUIRE(knowledge.load(default_tenant(), std::move(made->corpus)).ok());
  auto heldout = models::read_examples(bundle.files.at(bundle.models.front().heldout), "heldout");
  REQUIRE(heldout.ok());
  for (const double floor : {0.0, 0.1, 0.15, 0.2, 0.25, 0.3}) {
    const auto ours = ask_all(knowledge, *heldout, false, floor);
    const auto others = ask_all(knowledge, *heldout, true, floor);
    MESSAGE(
        fmt::format("fit >= {:.2f}: {:.3f} of {} questions answered, {:.3f} of these by the "
                    "right article; {:.3f} of {} that are not ours",
                    floor, ours.share_answered(), ours.asked, ours.share_right(),
                    others.share_answered(), others.asked));
  }
  CHECK(ask_all(knowledge, *heldout, false, 0).share_right() >= 0.7);
  const auto ours = ask_all(knowledge, *heldout, false, 0.2);
  CHECK(ours.share_right() >= 0.9);
  CHECK(ours.share_answered() >= 0.5);
  CHECK(ask_all(knowledge, *heldout, true, 0.2).share_answered() <= 0.1);
  const auto told = rows_of_the_guide();
  REQUIRE(told.size() == 3);
  for (const auto& row : told) {
    CAPTURE(row[0]);
    REQUIRE(row.size() == 4);
    const auto measured = ask_all(knowledge, *heldout, false, row[0]);
    CHECK(row[1] == doctest::Approx(measured.share_answered()).epsilon(0.01));
    CHECK(row[2] == doctest::Approx(measured.share_right()).epsilon(0.01));
    CHECK(row[3] == doctest::Approx(ask_all(knowledge, *heldout, true, row[0]).share_answered()));
  }
}

TEST_CASE("knowledge: an embedding that was kept is used, a damaged one is learnt again") {
  Bundle bundle = support_desk();
  bundle.models.clear();  // the articles alone are quicker
  Bundle less = bundle;
  less.articles.resize(5);
  Learnt learnt;
  auto other = make_corpus(less, "", &learnt);
  REQUIRE(other.ok());
  auto kept = make_corpus(bundle, other->embedding, &learnt);
  REQUIRE(kept.ok());
  CHECK(kept->embedding == other->embedding);
  CHECK(kept->corpus.articles.size() == bundle.articles.size());
  auto damaged = make_corpus(bundle, other->embedding.substr(0, 100), &learnt);
  REQUIRE(damaged.ok());
  CHECK(damaged->embedding != other->embedding);
  CHECK(damaged->embedding.size() > 100);
}

TEST_CASE("knowledge: the same articles are learnt once, changed ones anew") {
  Bundle bundle = support_desk();
  bundle.models.clear();
  bundle.articles.resize(3);
  Learnt learnt;
  const auto first = make_corpus(bundle, "", &learnt);
  const auto again = make_corpus(bundle, "", &learnt);
  REQUIRE(again.ok());
  CHECK(again->embedding == first->embedding);
  CHECK(learnt.learnt_count() == 1);
  const std::string text = bundle.articles.front().text;
  for (std::size_t i = 0; i < Learnt::kept_max; ++i) {
    bundle.articles.front().text = text + "\nword" + std::to_string(i) + "\n";
    REQUIRE(make_corpus(bundle, "", &learnt).ok());
  }
  CHECK(learnt.learnt_count() == 1 + Learnt::kept_max);
  bundle.articles.front().text = text;  // pushed out meanwhile
  REQUIRE(make_corpus(bundle, "", &learnt).ok());
  CHECK(learnt.learnt_count() == 2 + Learnt::kept_max);
}

}  // namespace aios::bundle
