// SPDX-License-Identifier: Apache-2.0
#include "data/knowledge.h"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>

namespace aios::data {
namespace {

Article article(const std::string& id, const std::string& text,
                std::vector<std::string> intents = {}) {
  std::vector<Error> errors;
  auto made = read_article("knowledge/" + id + ".md",
                           "---\ntitle: About " + id + "\n---\n" + text + "\n", &errors);
  REQUIRE(made);
  made->intents = std::move(intents);
  return *made;
}

std::vector<Article> shop() {
  return {article("refund", "The money comes back to your card.\n\n## How long\nRefunds take days.",
                  {"refund_request"}),
          article("parcel", "Track your parcel by its number.", {"order_status"}),
          article("password", "Reset a forgotten password by e-mail.", {"password_reset"})};
}

/// Two directions: money and everything else.
std::vector<float> embed_money(std::string_view text) {
  const bool money = text.find("money") != text.npos || text.find("cash") != text.npos;
  return money ? std::vector<float>{0.8F, 0.0F} : std::vector<float>{0.0F, 0.5F};
}

Found ask(const Knowledge& knowledge, const std::string& text) {
  return knowledge.search(default_tenant(), {.text = text, .intents = {}, .now = Time{}});
}

void load(Knowledge& knowledge, std::vector<Article> articles, Embed embed = {}) {
  Corpus corpus;
  corpus.articles = std::move(articles);
  corpus.embed = std::move(embed);
  REQUIRE(knowledge.load(default_tenant(), std::move(corpus)).ok());
}

}  // namespace

TEST_CASE(
    "knowledge: the passage with the question's rare words comes first, whatever their form") {
  Knowledge knowledge;
  load(knowledge, shop());
  auto found = ask(knowledge, "How long does REFUNDING take?");
  REQUIRE(!found.answers.empty());
  const Answer& best = found.answers.front();
  CHECK(best.article == "refund");
  CHECK(best.heading == "How long");
  CHECK(best.text == "Refunds take days.");
  CHECK(best.bm25 > 0);
  CHECK(best.fit > 0);
  CHECK(best.fit <= 1);
  CHECK(found.corpus.size() == 64);
  CHECK(ask(knowledge, "tracking parcels").answers.front().article == "parcel");
}

TEST_CASE("knowledge: meaning finds what no word has, and its length counts in the fit") {
  Knowledge knowledge;
  load(knowledge, shop(), embed_money);
  auto found = ask(knowledge, "cash");
  REQUIRE(!found.answers.empty());
  CHECK(found.answers.front().article == "refund");
  CHECK(found.answers.front().bm25 == 0);
  CHECK(found.answers.front().cosine == doctest::Approx(1.0));
  CHECK(found.answers.front().fit == doctest::Approx(0.8));
}

TEST_CASE("knowledge: below the floor nothing fits, and an unknown question finds nothing") {
  Knowledge knowledge;
  load(knowledge, shop(), embed_money);
  Question question;
  question.text = "cash";
  question.fit_min = 0.81;
  CHECK(knowledge.search(default_tenant(), question).answers.empty());
  question.fit_min = 0.79;
  CHECK(knowledge.search(default_tenant(), question).answers.size() == 1);
  load(knowledge, shop());
  CHECK(ask(knowledge, "zebra").answers.empty());
  CHECK(ask(knowledge, "").answers.empty());
}

TEST_CASE("knowledge: one answer an article, at most as many as asked for, of the wanted intents") {
  Knowledge knowledge;
  load(knowledge, shop(), embed_money);
  Question question;
  question.text = "your money, your parcel, your password";
  CHECK(knowledge.search(default_tenant(), question).answers.size() == 3);
  question.articles_max = 2;
  CHECK(knowledge.search(default_tenant(), question).answers.size() == 2);
  question.intents = {"order_status"};
  auto found = knowledge.search(default_tenant(), question);
  REQUIRE(found.answers.size() == 1);
  CHECK(found.answers.front().article == "parcel");
  question.intents = {"nothing"};
  CHECK(knowledge.search(default_tenant(), question).answers.empty());
}

TEST_CASE("knowledge: an article whose last day is over is not found") {
  Knowledge knowledge;
  auto articles = shop();
  articles[0].valid_until = Time{1'000};
  load(knowledge, articles);
  Question question;
  question.text = "refund";
  question.now = Time{1'000};
  CHECK(knowledge.search(default_tenant(), question).answers.size() == 1);
  question.now = Time{1'001};
  CHECK(knowledge.search(default_tenant(), question).answers.empty());
}

TEST_CASE("knowledge: no articles, no answers; other tenants' articles are not found") {
  Knowledge knowledge;
  CHECK(ask(knowledge, "refund").answers.empty());
  CHECK(ask(knowledge, "refund").corpus.empty());
  load(knowledge, {});
  CHECK(ask(knowledge, "refund").answers.empty());
  Corpus corpus;
  corpus.articles = shop();
  auto other = TenantId::parse("other");
  REQUIRE(other.ok());
  REQUIRE(knowledge.load(*other, std::move(corpus)).ok());
  CHECK(ask(knowledge, "refund").answers.empty());
}

TEST_CASE("knowledge: what a new deployment leaves out is gone, what it changes is changed") {
  Knowledge knowledge;
  load(knowledge, shop());
  const std::string before = ask(knowledge, "refund").corpus;
  load(knowledge, {article("parcel", "Your parcel is with the carrier, and so is the refund.")});
  auto found = ask(knowledge, "refund");
  REQUIRE(found.answers.size() == 1);
  CHECK(found.answers.front().article == "parcel");
  CHECK(found.corpus != before);
}

TEST_CASE("knowledge: what is refused leaves the old articles in place") {
  Knowledge knowledge;
  load(knowledge, shop());
  Corpus twice;
  twice.articles = {article("a", "x"), article("a", "y")};
  CHECK(knowledge.load(default_tenant(), twice).error().page() == 1602);
  Corpus language;
  language.articles = shop();
  language.language = "klingon";
  CHECK(knowledge.load(default_tenant(), language).error().page() == 1603);
  CHECK(!ask(knowledge, "refund").answers.empty());
}

TEST_CASE("knowledge: other scripts, combined letters and broken bytes") {
  Knowledge knowledge;
  load(knowledge, {article("kuendigen", "Den Vertrag kündigen"), article("zakaz", "Где мой заказ"),
                   article("other", "nothing of it")});
  CHECK(ask(knowledge, "KU\xcc\x88NDIGEN").answers.front().article == "kuendigen");
  CHECK(ask(knowledge, "ЗАКАЗ").answers.front().article == "zakaz");
  CHECK(ask(knowledge, "\xff\xfe\xf0\x9f").answers.empty());
}

TEST_CASE("knowledge: the same articles and question give the same answers") {
  Knowledge first;
  Knowledge second;
  load(first, shop(), embed_money);
  load(second, shop(), embed_money);
  const auto a = ask(first, "my money and my parcel");
  const auto b = ask(second, "my money and my parcel");
  CHECK(a.corpus == b.corpus);
  REQUIRE(a.answers.size() == b.answers.size());
  for (std::size_t i = 0; i < a.answers.size(); ++i) {
    CHECK(a.answers[i].article == b.answers[i].article);
    CHECK(a.answers[i].score == b.answers[i].score);
    CHECK(a.answers[i].fit == b.answers[i].fit);
  }
}

TEST_CASE("knowledge: searches see the old articles or the new ones, never a mixture") {
  Knowledge knowledge;
  load(knowledge, {article("one", "refund one"), article("uno", "refund uno")});
  std::atomic<bool> done{false};
  std::atomic<int> mixed{0};
  std::thread reader([&] {
    while (!done) {
      const auto found = ask(knowledge, "refund");
      mixed += found.answers.size() == 2 || found.answers.size() == 3 ? 0 : 1;
    }
  });
  for (int i = 0; i < 200; ++i) {
    auto articles = std::vector<Article>{article("one", "refund one"), article("uno", "refund")};
    if (i % 2 == 0) {
      articles.push_back(article("un", "refund un"));
    }
    load(knowledge, articles);
  }
  done = true;
  reader.join();
  CHECK(mixed == 0);
}

}  // namespace aios::data
