// SPDX-License-Identifier: Apache-2.0
#include "seen.h"

#include "core/ids.h"
#include "core/json.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace aios::tenants {
namespace {

constexpr std::size_t id_characters = 26;
constexpr std::size_t time_characters = 10;
constexpr std::size_t hex_min = 32;
constexpr std::size_t base64_min = 40;

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

bool is_random(std::string_view word) {
  const auto all = [&](auto test) { return std::all_of(word.begin(), word.end(), test); };
  const bool hex = all([](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
  const bool digit = std::any_of(word.begin(), word.end(), [](char c) {
    return std::isdigit(static_cast<unsigned char>(c)) != 0;
  });
  return (hex && word.size() >= hex_min) || (digit && word.size() >= base64_min);
}

/// dlv_ and 18 hex digits: the place of its message in the outbox of all tenants, which tells how
/// many there were (docs/threat-model.md says so). Here it is a name.
bool is_delivery(std::string_view word) {
  return word.size() == 22 && word.starts_with("dlv_") &&
         word.find_first_not_of("0123456789abcdef", 4) == std::string_view::npos;
}

/// Of the id that a text begins with, the length of its kind ("run"); 0: it begins with none.
std::size_t kind_of(std::string_view text) {
  const std::size_t bar = text.find('_');
  if (bar == 0 || bar == std::string_view::npos || bar > 8) {
    return 0;
  }
  const std::string_view id = text.substr(0, bar + 1 + id_characters);
  return is_id(text.substr(0, bar), id) ? bar : 0;
}

/// What the key of this installation and the salts of leaves make of it.
void take_out_signed(Json& value) {
  if (value.is_array()) {
    for (Json& item : value.get_array()) {
      take_out_signed(item);
    }
  } else if (value.is_object()) {
    for (auto& member : value.get_object()) {
      const std::string_view name = member.key();
      const bool is_signed = name == "checkpoint" || name == "root" || name == "verifier_key" ||
                             name == "salt" || name == "secret";
      if (is_signed && member.value().is_string()) {
        member.value() = "signed or salted";
      } else {
        take_out_signed(member.value());
      }
    }
  }
}

}  // namespace

std::string Seen::plain_body(const std::string& body) {
  auto document = parse_json(body);
  if (!document.ok()) {
    return plain(body);
  }
  take_out_signed(*document);
  return plain(to_text(*document));
}

std::string Seen::number_of(const std::string& word) {
  return std::to_string(numbers_.try_emplace(word, numbers_.size()).first->second);
}

/// @param shown  what of the id may be seen by both worlds
std::string Seen::plain_id(std::string_view kind, std::string_view shown, std::string_view word) {
  const std::string id(word);
  if (anothers_.contains(id)) {
    return fmt::format("another's {}", kind);
  }
  if (!numbers_.contains(id)) {
    ids_[std::string(kind)].push_back(id);
  }
  return fmt::format("{}#{}", shown, number_of(id));
}

std::string Seen::plain(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto end = std::find_if_not(text.begin(), text.end(), is_word);
    std::string_view word = text.substr(0, static_cast<std::size_t>(end - text.begin()));
    if (word.empty()) {
      out += text.front();
      text.remove_prefix(1);
      continue;
    }
    if (const std::size_t kind = kind_of(word); kind > 0) {
      word = word.substr(0, kind + 1 + id_characters);  // an effect's has "-2" behind it
      out += plain_id(word.substr(0, kind), word.substr(0, kind + 1 + time_characters), word);
    } else if (is_delivery(word)) {
      out += plain_id("dlv", "dlv", word);
    } else if (is_random(word)) {
      out += fmt::format("<{}>#{}", word.size(), number_of(std::string(word)));
    } else {
      out += word;
    }
    text.remove_prefix(word.size());
  }
  return out;
}

const std::vector<std::string>& Seen::ids(std::string_view prefix) const {
  static const auto* const none = new std::vector<std::string>;
  const auto found = ids_.find(prefix);
  return found == ids_.end() ? *none : found->second;
}

}  // namespace aios::tenants
