// SPDX-License-Identifier: Apache-2.0
#include "models/models.h"

#include <doctest/doctest.h>

#include <cmath>

namespace aios::models {
namespace {

const EmbeddingEntry& engine(EngineRegistry& registry) {
  register_all_engines(registry);
  const auto* found = registry.find_embedding("text_embedding");
  REQUIRE(found != nullptr);
  return *found;
}

TrainOptions seeded(std::uint64_t seed) {
  TrainOptions options;
  options.seed = seed;
  return options;
}

std::vector<EmbeddingText> shop_texts() {
  return {{"Where is my parcel?", "status"},
          {"The tracking says nothing new, has my package been sent?", "status"},
          {"Track an order: where a parcel is and when the package arrives", "status"},
          {"When does the package with my order arrive?", "status"},
          {"I want my money back", "refund"},
          {"Please reimburse me for the return", "refund"},
          {"The refund: when the money for a return arrives on your card", "refund"},
          {"You have my return, now pay my money back", "refund"},
          {"I forgot my password and cannot sign in", "password"},
          {"The reset link does not work, my account is locked", "password"},
          {"Sign in and password: reset a forgotten password, unlock the account", "password"},
          {"The login code never comes", "password"}};
}

double length_of(const std::vector<float>& vector) {
  double squares = 0;
  for (const float value : vector) {
    squares += static_cast<double>(value) * value;
  }
  return std::sqrt(squares);
}

double cosine(const Embedding& embedding, std::string_view left, std::string_view right) {
  const auto a = embedding.embed(left);
  const auto b = embedding.embed(right);
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    sum += static_cast<double>(a[i]) * b[i];
  }
  const double lengths = length_of(a) * length_of(b);
  return lengths > 0 ? sum / lengths : 0;
}

}  // namespace

TEST_CASE("text_embedding: texts that mean the same lie closer than others of the same words") {
  EngineRegistry registry;
  auto made = engine(registry).train(shop_texts(), seeded(3));
  REQUIRE(made.ok());
  const Embedding& embedding = **made;
  CHECK(embedding.dimensions() >= 5);
  const double same = cosine(embedding, "is my package on its way?", "where did you send my order");
  const double other = cosine(embedding, "is my package on its way?", "my password does not work");
  CHECK(same > other + 0.3);
}

TEST_CASE("text_embedding: the length says how much of a text is known, and is at most 1") {
  EngineRegistry registry;
  auto made = engine(registry).train(shop_texts(), seeded(3));
  REQUIRE(made.ok());
  for (const auto& text : shop_texts()) {
    const double length = length_of((*made)->embed(text.text));
    CHECK(length > 0.3);
    CHECK(length <= 1.0001);
  }
  CHECK(length_of((*made)->embed("quux zyxwv")) < 0.3);
  CHECK(length_of((*made)->embed("")) == 0);
  CHECK(length_of((*made)->embed("\xff\xfe \x01")) == 0);
}

TEST_CASE("text_embedding: the same texts and seed give the same bytes, another seed does not") {
  EngineRegistry registry;
  const auto& entry = engine(registry);
  const std::string first = (*entry.train(shop_texts(), seeded(3)))->serialize();
  CHECK((*entry.train(shop_texts(), seeded(3)))->serialize() == first);
  CHECK((*entry.train(shop_texts(), seeded(4)))->serialize() != first);
}

TEST_CASE("text_embedding: bytes give the same vectors again, and damage is found") {
  EngineRegistry registry;
  const auto& entry = engine(registry);
  auto made = entry.train(shop_texts(), seeded(3));
  REQUIRE(made.ok());
  std::string bytes = (*made)->serialize();
  auto loaded = entry.load(bytes);
  REQUIRE(loaded.ok());
  CHECK((*loaded)->embed("where is my money") == (*made)->embed("where is my money"));
  for (const std::size_t at : {std::size_t{0}, bytes.size() / 2, bytes.size() - 1}) {
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    auto refused = entry.load(damaged);
    REQUIRE(!refused.ok());
    CHECK(refused.error().page() == 711);
  }
  CHECK(!entry.load("").ok());
}

TEST_CASE("text_embedding: texts without labels, and other scripts, are learnt from") {
  EngineRegistry registry;
  auto made = engine(registry).train({{"Où est ma commande ?", ""},
                                      {"Où est le colis de ma commande ?", ""},
                                      {"Мой заказ не пришёл", ""},
                                      {"Где мой заказ?", ""}},
                                     seeded(1));
  REQUIRE(made.ok());
  CHECK(cosine(**made, "ma commande", "Où est ma commande ?") >
        cosine(**made, "ma commande", "Где мой заказ?"));
}

TEST_CASE("text_embedding: what cannot be learnt from is refused, a cancelled training ends") {
  EngineRegistry registry;
  const auto& entry = engine(registry);
  CHECK(entry.train({}, {}).error().page() == 710);
  CHECK(entry.train({{"one text", ""}}, {}).error().page() == 710);
  CHECK(entry.train({{"...", ""}, {"???", ""}}, {}).error().page() == 710);
  TrainOptions options;
  options.cancel = std::make_shared<CancelState>();
  options.cancel->cancel();
  CHECK(entry.train(shop_texts(), options).error().code() == Code::cancelled);
}

TEST_CASE("text_embedding: of more text than it learns from it takes some of every label") {
  std::vector<EmbeddingText> texts;
  for (int i = 0; i < 3'000; ++i) {
    texts.push_back({"filler " + std::string(600, 'x') + std::to_string(i), "long"});
  }
  texts.push_back({"a rare zebra crosses", "rare"});
  texts.push_back({"one more rare zebra", "rare"});
  EngineRegistry registry;
  auto made = engine(registry).train(texts, seeded(1));
  REQUIRE(made.ok());
  CHECK(length_of((*made)->embed("zebra")) > 0);
}

TEST_CASE("engines: an embedding is not offered where a model of labels is wanted") {
  EngineRegistry registry;
  register_all_engines(registry);
  CHECK(registry.find("text_embedding") == nullptr);
  CHECK(registry.find_embedding("text_linear") == nullptr);
  CHECK(registry.names() == std::vector<std::string>{"text_linear"});
}

}  // namespace aios::models
