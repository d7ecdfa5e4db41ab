// SPDX-License-Identifier: Apache-2.0
#pragma once
// models/test/examples: a few labelled sentences that are easily told apart.

#include "models/models.h"

#include <string>
#include <vector>

namespace aios::models::test {

inline std::vector<Example> desk_examples() {
  const std::vector<std::string> delivery = {
      "where is my parcel",          "my parcel has not arrived",        "the delivery is late",
      "when will the parcel arrive", "delivery was promised for monday", "track my parcel",
      "the courier lost my parcel",  "no delivery today either"};
  const std::vector<std::string> refund = {"i want a refund",
                                           "please refund my money",
                                           "give me my money back",
                                           "when do i get the refund",
                                           "money back for the returned shoes",
                                           "refund was not paid",
                                           "refund the double payment",
                                           "still no money back"};
  const std::vector<std::string> password = {
      "i forgot my password",   "reset the password please",   "cannot log in to my account",
      "password does not work", "log in fails every time",     "account is locked after log in",
      "new password wanted",    "the password mail never came"};
  std::vector<Example> examples;
  for (std::size_t i = 0; i < delivery.size(); ++i) {
    examples.push_back({delivery[i], "delivery"});
    examples.push_back({refund[i], "refund"});
    examples.push_back({password[i], "password"});
  }
  return examples;
}

}  // namespace aios::models::test
