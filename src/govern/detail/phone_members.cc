// SPDX-License-Identifier: Apache-2.0
#include "govern/detail/phone_members.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

namespace aios::govern::detail {
namespace {

constexpr std::size_t kNameMax = 64;

bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }

// "mobilePhone_no2" is mobile, phone, no.
std::vector<std::string> words_of(std::string_view name) {
  std::vector<std::string> words(1);
  for (std::size_t at = 0; at < name.size(); ++at) {
    const char c = name[at];
    const bool hump = is_upper(c) && at > 0 && is_lower(name[at - 1]);
    if ((hump || (!is_upper(c) && !is_lower(c))) && !words.back().empty()) {
      words.emplace_back();
    }
    if (is_upper(c) || is_lower(c)) {
      words.back() += is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c;
    }
  }
  if (words.back().empty()) {
    words.pop_back();
  }
  return words;
}

bool is_phone_word(std::string_view word) {
  constexpr std::array<std::string_view, 26> kWords = {
      "phone",       "phones",       "telephone",       "telephones",  "tel",
      "telefon",     "telefono",     "mobile",          "mobiles",     "cellphone",
      "cellular",    "fax",          "handy",           "handynummer", "whatsapp",
      "msisdn",      "phonenumber",  "phonenumbers",    "landline",    "telefonnummer",
      "rufnummer",   "mobilenumber", "telephonenumber", "festnetz",    "mobilnummer",
      "mobiltelefon"};
  return std::find(kWords.begin(), kWords.end(), word) != kWords.end();
}

// What may stand behind a word for a phone, or alone within one.
bool is_qualifier(std::string_view word) {
  constexpr std::array<std::string_view, 15> kWords = {
      "number",   "numbers", "no",   "nr",      "nummer", "num", "home",  "work",
      "business", "private", "main", "primary", "value",  "raw", "office"};
  return std::find(kWords.begin(), kWords.end(), word) != kWords.end();
}

}  // namespace

Under under_member(std::string_view name, Under outer) {
  if (name.size() > kNameMax) {
    return Under::anything;
  }
  std::vector<std::string> words = words_of(name);
  if (words.empty()) {
    return Under::anything;
  }
  while (!words.empty() && is_qualifier(words.back())) {
    words.pop_back();
  }
  const bool phone = words.empty() ? outer == Under::phone : is_phone_word(words.back());
  return phone ? Under::phone : Under::anything;
}

}  // namespace aios::govern::detail
