// SPDX-License-Identifier: Apache-2.0
#include "models/learning.h"

#include "models/test/examples.h"

#include <doctest/doctest.h>

namespace aios::models {
namespace {

EngineEntry linear() {
  EngineRegistry registry;
  register_all_engines(registry);
  return *registry.find("text_linear");
}

struct Screening {
  EngineEntry engine = linear();
  std::vector<Example> base = test::desk_examples();
  std::vector<Example> heldout = {{"my parcel is late", "delivery"}};
  ScreeningInput input;
  Screening() {
    input.engine = &engine;
    input.base = &base;
    input.heldout = &heldout;
    input.new_labels = {"recall"};
  }
  std::vector<RowVerdict> of(const std::vector<CorrectionRow>& rows) {
    auto verdicts = screen(rows, input);
    REQUIRE(verdicts.ok());
    REQUIRE(verdicts->size() == rows.size());
    return std::move(*verdicts);
  }
};

CorrectionRow row(const std::string& id, const std::string& text, const std::string& label,
                  const std::string& by = "key_a") {
  return {id, text, label, by, Time{}};
}

TEST_CASE("learning: a row of a label that nobody declared is refused and cannot be accepted") {
  Screening screening;
  screening.input.accepted = {{"cor_1", "key_z"}};
  const auto verdicts =
      screening.of({row("cor_1", "the kettle burns", "fire"),
                    row("cor_2", "recall of the kettle", "recall"), row("cor_3", "?!", "refund")});
  CHECK(verdicts[0].use == RowUse::refused);
  CHECK(verdicts[0].accepted_by.empty());
  CHECK(verdicts[1].use != RowUse::refused);
  CHECK(verdicts[2].use == RowUse::refused);
  CHECK(verdicts[2].reason == "no word is in it");
}

TEST_CASE("learning: the same text with another label than the data is refused, and acceptable") {
  Screening screening;
  const std::vector<CorrectionRow> rows = {row("cor_1", "REFUND was not paid!", "password"),
                                           row("cor_2", "refund was not paid", "refund")};
  auto verdicts = screening.of(rows);
  CHECK(verdicts[0].use == RowUse::refused);
  CHECK(verdicts[0].instead == "refund");
  CHECK(verdicts[1].use != RowUse::refused);
  screening.input.accepted = {{"cor_1", "key_z"}};
  verdicts = screening.of(rows);
  CHECK(verdicts[0].use != RowUse::refused);
  CHECK(verdicts[0].accepted_by == "key_z");
}

TEST_CASE("learning: what the held-out set has is never learnt, not even when accepted") {
  Screening screening;
  screening.input.accepted = {{"cor_2", "key_z"}};
  const auto verdicts = screening.of({row("cor_1", "My parcel is late.", "delivery"),
                                      row("cor_2", "my parcel is late", "refund")});
  CHECK(verdicts[0].use == RowUse::held_out);
  CHECK(verdicts[1].use == RowUse::held_out);
  screening.input.accepted.clear();
  CHECK(screening.of({row("cor_2", "my parcel is late", "refund")})[0].use == RowUse::refused);
}

TEST_CASE("learning: people who disagree about one text: the most stay, a tie leaves nothing") {
  Screening screening;
  auto verdicts = screening.of({row("cor_1", "kettle is called back", "recall", "key_a"),
                                row("cor_2", "Kettle is called back", "refund", "key_b")});
  CHECK(verdicts[0].use == RowUse::refused);
  CHECK(verdicts[1].use == RowUse::refused);
  verdicts = screening.of({row("cor_1", "kettle is called back", "recall", "key_a"),
                           row("cor_2", "Kettle is called back", "refund", "key_b"),
                           row("cor_3", "kettle is called back!", "recall", "key_c")});
  CHECK(verdicts[0].use != RowUse::refused);
  CHECK(verdicts[1].use == RowUse::refused);
  CHECK(verdicts[1].instead == "recall");
}

TEST_CASE("learning: flipped labels are found without any text being the same") {
  Screening screening;
  const auto verdicts = screening.of({row("cor_1", "please refund the money", "password"),
                                      row("cor_2", "reset my password now", "password"),
                                      row("cor_3", "where is the parcel now", "refund"),
                                      row("cor_4", "my money back please", "refund")});
  CHECK(verdicts[0].use == RowUse::refused);
  CHECK(verdicts[0].instead == "refund");
  CHECK(verdicts[1].use != RowUse::refused);
  CHECK(verdicts[2].use == RowUse::refused);
  CHECK(verdicts[3].use != RowUse::refused);
}

TEST_CASE("learning: who is refused most of the time is not believed in the rest either") {
  Screening screening;
  std::vector<CorrectionRow> rows = {row("cor_1", "refund was not paid", "password", "key_b"),
                                     row("cor_2", "i want a refund", "delivery", "key_b"),
                                     row("cor_3", "track my parcel", "refund", "key_b"),
                                     row("cor_4", "my money back please", "refund", "key_b")};
  CHECK(screening.of(rows)[3].use != RowUse::refused);  // of four rows nothing is concluded
  rows.push_back(row("cor_5", "the refund of my money", "refund", "key_b"));
  rows.push_back(row("cor_6", "money back for these", "refund", "key_a"));
  const auto verdicts = screening.of(rows);
  CHECK(verdicts[3].use == RowUse::refused);
  CHECK(verdicts[4].use == RowUse::refused);
  CHECK(verdicts[5].use != RowUse::refused);
}

TEST_CASE("learning: about a fifth is kept back, the same ones whatever else there is") {
  std::size_t kept = 0;
  for (int i = 0; i < 1000; ++i) {
    kept += is_kept_back(same_text_key("text number " + std::to_string(i))) ? 1 : 0;
  }
  CHECK(kept > 150);
  CHECK(kept < 250);
  CHECK(same_text_key("Is it  RECALLED?") == same_text_key("is it recalled"));
  CHECK(same_text_key("is it recalled") != same_text_key("recalled is it"));
  CHECK(same_text_key("?!").empty());
}

TEST_CASE("learning: a screening that is cancelled says so") {
  Screening screening;
  screening.input.cancel = std::make_shared<CancelState>();
  screening.input.cancel->cancel();
  const auto verdicts = screen({row("cor_1", "my money back please", "refund")}, screening.input);
  REQUIRE(!verdicts.ok());
  CHECK(verdicts.error().page() == 702);
}

}  // namespace
}  // namespace aios::models
