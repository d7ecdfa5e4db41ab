// SPDX-License-Identifier: Apache-2.0
#include "core/codec.h"
#include "models/detail/array_codec.h"
#include "models/detail/checked_bytes.h"
#include "models/detail/familiarity.h"
#include "models/models.h"
#include "models/test/examples.h"

#include <doctest/doctest.h>

#include <algorithm>

namespace aios::models {
namespace {

std::unique_ptr<Model> trained(const std::vector<Example>& examples, std::uint64_t seed = 7) {
  EngineRegistry engines;
  register_all_engines(engines);
  TrainOptions options;
  options.seed = seed;
  auto model = engines.find("text_linear")->train(examples, options);
  REQUIRE(model.ok());
  return std::move(*model);
}

Result<std::unique_ptr<Model>> loaded(std::string_view bytes) {
  EngineRegistry engines;
  register_all_engines(engines);
  return engines.find("text_linear")->load(bytes);
}

TEST_CASE("text_linear: learns what tells the labels apart and names the deciding word") {
  const auto model = trained(test::desk_examples());
  const Prediction prediction = model->predict("when will my parcel arrive?");
  CHECK(prediction.best.label == "delivery");
  CHECK(prediction.best.confidence > 0.6);
  REQUIRE(!prediction.reasons.empty());
  CHECK(std::any_of(prediction.reasons.begin(), prediction.reasons.end(),
                    [](const Reason& reason) { return reason.term == "parcel"; }));
  CHECK(prediction.reasons.size() <= 5);
}

TEST_CASE("text_linear: probabilities are sorted, at most three, and do not exceed one") {
  const auto model = trained(test::desk_examples());
  const Prediction prediction = model->predict("my password does not work");
  REQUIRE(prediction.top.size() == 3);
  CHECK(prediction.top[0].label == prediction.best.label);
  CHECK(prediction.top[0].confidence >= prediction.top[1].confidence);
  CHECK(prediction.top[1].confidence >= prediction.top[2].confidence);
  double sum = 0;
  for (const Scored& scored : prediction.top) {
    sum += scored.confidence;
  }
  CHECK(sum <= doctest::Approx(1.0));
}

TEST_CASE("text_linear: a text without anything known gets the most frequent label, unsurely") {
  auto examples = test::desk_examples();
  examples.push_back({"where is my order now", "delivery"});
  const auto model = trained(examples);
  for (const char* text : {"", "   ", "?!", "\xff\xfe", "\xe6\xbc\xa2\xe5\xad\x97"}) {
    CAPTURE(text);
    const Prediction prediction = model->predict(text);
    CHECK(prediction.best.label == "delivery");
    CHECK(prediction.best.confidence < 0.5);
    CHECK(prediction.reasons.empty());
  }
}

TEST_CASE("text_linear: what is unlike the training texts is novel, whatever its confidence") {
  const auto model = trained(test::desk_examples());
  const auto novelty = [&model](const char* text) {
    const auto found = model->predict(text).novelty;
    REQUIRE(found);
    return *found;
  };
  CHECK(novelty("where is my parcel") < 0.2);
  CHECK(novelty("the soup needs more salt") > 0.9);
  CHECK(novelty("where is my parcel") < novelty("where is the quarterly account statement"));
  CHECK(novelty("") == 1);
  CHECK(novelty("?!") == 1);
}

TEST_CASE("familiarity: a score's novelty is the share of the training scores above it") {
  std::vector<float> scores;
  for (int i = 0; i <= 1000; ++i) {
    scores.push_back(static_cast<float>(i) / 1000);
  }
  const auto scale = detail::Familiarity::fit(scores);
  CHECK(scale.novelty(0.9F) == doctest::Approx(0.1));
  CHECK(scale.novelty(0.25F) == doctest::Approx(0.75));
  CHECK(scale.novelty(-1) == 1);
  CHECK(scale.novelty(2) == 0);
  CHECK(detail::Familiarity::fit({}).empty());
  CHECK(detail::Familiarity::fit({0.5F}).novelty(0.4F) == 1);
  CHECK(detail::Familiarity::fit({0.5F}).novelty(0.5F) == 0);
}

TEST_CASE("text_linear: bytes of the format before novelty are read, and tell none") {
  // "a" and "b" with one n-gram each, written by hand as format 1 was.
  Writer out;
  out.u8(1);
  out.bytes("aios text_linear");
  out.varint(2);
  out.bytes("a");
  out.bytes("b");
  detail::write_array(out, std::vector<float>{0.5F, 0.5F});
  detail::write_array(out, std::vector<float>{1.0F, 1.0F, 1.0F});
  out.varint(1);
  detail::write_array(out, std::vector<std::uint32_t>{12345});
  detail::write_array(out, std::vector<float>{1.0F});
  detail::write_array(out, std::vector<float>(8, 0.25F));
  const auto model = loaded(detail::with_checksum(out.take()));
  REQUIRE(model.ok());
  CHECK(!(*model)->predict("anything").novelty);
}

TEST_CASE("text_linear: case, width and composed letters make no difference") {
  const auto model = trained(test::desk_examples());
  const auto plain = model->predict("refund my money, caf\xc3\xa9");
  const auto loud = model->predict("REFUND My MONEY, CAFE\xcc\x81");
  const auto wide = model->predict(
      "\xef\xbd\x92\xef\xbd\x85\xef\xbd\x86\xef\xbd\x95\xef\xbd\x8e"
      "\xef\xbd\x84 my money, caf\xc3\xa9");
  CHECK(plain.best.label == "refund");
  CHECK(loud.best.confidence == doctest::Approx(plain.best.confidence));
  CHECK(wide.best.confidence == doctest::Approx(plain.best.confidence));
  REQUIRE(!loud.reasons.empty());
  CHECK(loud.reasons[0].term == "REFUND");  // as in the text
}

TEST_CASE("text_linear: a word that stands twice is one reason") {
  const auto model = trained(test::desk_examples());
  const auto prediction = model->predict("refund refund Refund please");
  int refunds = 0;
  for (const Reason& reason : prediction.reasons) {
    refunds += reason.term == "refund" || reason.term == "Refund" ? 1 : 0;
  }
  CHECK(refunds == 1);
}

TEST_CASE("text_linear: only the first 8,192 bytes count") {
  const auto model = trained(test::desk_examples());
  std::string text = "please refund my money ";
  text.append(9000 - text.size(), '.');
  const auto short_text = model->predict(text);
  text += " parcel parcel parcel delivery password";
  const auto long_text = model->predict(text);
  CHECK(long_text.best.label == short_text.best.label);
  CHECK(long_text.best.confidence == short_text.best.confidence);
  std::string run(100'000, 'x');  // one endless word
  CHECK(model->predict(run).best.confidence < 0.9);
}

TEST_CASE("text_linear: the same examples and seed give the same bytes") {
  const auto examples = test::desk_examples();
  CHECK(trained(examples, 7)->serialize() == trained(examples, 7)->serialize());
}

TEST_CASE("text_linear: bytes read back predict the same, and any damage is refused") {
  const auto model = trained(test::desk_examples());
  const std::string bytes = model->serialize();
  auto again = loaded(bytes);
  REQUIRE(again.ok());
  CHECK((*again)->serialize() == bytes);
  CHECK((*again)->labels() == model->labels());
  CHECK((*again)->predict("lost parcel").best.confidence ==
        model->predict("lost parcel").best.confidence);
  for (std::size_t at = 0; at < bytes.size(); at += 1 + bytes.size() / 50) {
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
    const auto refused = loaded(damaged);
    REQUIRE(!refused.ok());
    CHECK(refused.error().code() == Code::data_loss);
    CHECK(refused.error().page() == 703);
  }
  for (const std::size_t size : {std::size_t{0}, std::size_t{10}, bytes.size() - 1}) {
    CHECK(!loaded(std::string_view(bytes).substr(0, size)).ok());
  }
  CHECK(!loaded(bytes + "x").ok());
}

TEST_CASE("text_linear: refuses examples that cannot be learnt from") {
  EngineRegistry engines;
  register_all_engines(engines);
  const auto& train = engines.find("text_linear")->train;
  const std::vector<std::vector<Example>> unfit = {{},
                                                   {{"a", "x"}, {"b", "x"}},
                                                   {{"a", "x"}, {"b", ""}},
                                                   {{"a", "x"}, {"b", std::string(300, 'y')}}};
  for (const auto& examples : unfit) {
    const auto refused = train(examples, {});
    REQUIRE(!refused.ok());
    CHECK(refused.error().code() == Code::invalid_argument);
    CHECK(refused.error().page() == 700);
  }
}

TEST_CASE("text_linear: one example a label, and labels without text, still make a model") {
  const auto model =
      trained({{"apples and pears", "fruit"}, {"carrots", "roots"}, {"", "nothing"}});
  CHECK(model->predict("apples").best.label == "fruit");
}

TEST_CASE("engines: every one reports progress, stops when cancelled, and reads its own bytes") {
  EngineRegistry engines;
  register_all_engines(engines);
  REQUIRE(!engines.names().empty());
  for (const std::string& name : engines.names()) {
    CAPTURE(name);
    const EngineEntry& engine = *engines.find(name);
    CHECK(!engine.summary.empty());
    double last = 0;
    TrainOptions options;
    options.progress = [&last](double share) {
      CHECK(share >= last);
      last = share;
    };
    auto model = engine.train(test::desk_examples(), options);
    REQUIRE(model.ok());
    CHECK(last == doctest::Approx(1.0));
    auto again = engine.load((*model)->serialize());
    REQUIRE(again.ok());
    CHECK((*again)->predict("refund please").best.label ==
          (*model)->predict("refund please").best.label);
    CHECK(engine.load("nonsense").error().code() == Code::data_loss);

    options.cancel = std::make_shared<CancelState>();
    options.progress = [&options](double) { options.cancel->cancel(); };
    const auto stopped = engine.train(test::desk_examples(), options);
    REQUIRE(!stopped.ok());
    CHECK(stopped.error().code() == Code::cancelled);
  }
}

}  // namespace
}  // namespace aios::models
