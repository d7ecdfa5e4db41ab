// SPDX-License-Identifier: Apache-2.0
#include "govern/detail/name_words.h"

#include "core/text.h"
#include "govern/detail/personal.h"
#include "govern/detail/word_list.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>

namespace aios::govern::detail {
namespace {

constexpr std::size_t kWordsMax = 4;
constexpr std::size_t kWordBytesMax = 80;

// Words that are addressed or introduced, or begin a sentence, and are no names.
constexpr const auto& no_names = words<
    "a aber about after again agent all also an and another any anyone are as ask at because "
    "been before being bitte bot both but call can christmas colleagues concerning contact could "
    "currently customer damen danke das dear den der det did die do doctor does don't du each "
    "ein eine either en english er es ett even every everybody everyone finally first folks for "
    "friend friends from german gestern going good guys haben had han happy has hat have he hej "
    "help her here herren heute hey hi him his hon hopefully hotline how however i i'd i'll i'm "
    "i've ich idag if igår ihr ihre in incorrect is ist it its jag just kindly kundenservice "
    "last later leider let let's listed looking madam madame manager may maybe me meanwhile mein "
    "meine might mine misspelled monday morgen must my neither new next no not now oder ok okay "
    "on once only or order our perhaps please previously recently regarding sales second service "
    "shall she should sie since sind sir so some sorry spelled spelt still support tack team "
    "tell thank thanks that the their them then there therefore these they this those to today "
    "tomorrow tonight tyvärr und unfortunately unknown unser unsere until urgent us very vi wann "
    "war warum was we weil well wenn were what when where which while who whose why wie will wir "
    "with wo world would wrong yes yesterday yesterdays you your">;

bool is_no_name(std::string_view word) { return has(no_names, ascii_lower(word)); }

bool is_particle(std::string_view word) {
  constexpr std::array<std::string_view, 22> kParticles = {
      "al", "bin", "da", "de", "del", "della", "den", "der", "di", "dos", "du",
      "el", "ibn", "la", "le", "ter", "van",   "vom", "von", "zu", "zum", "zur"};
  static_assert(std::is_sorted(kParticles.begin(), kParticles.end()));
  return std::binary_search(kParticles.begin(), kParticles.end(), word);
}

// The character at this place; 0 at the end. The text is known to be UTF-8.
char32_t character_at(std::string_view text, std::size_t at) {
  if (at >= text.size()) {
    return 0;
  }
  const auto byte = [&](std::size_t i) {
    return static_cast<char32_t>(static_cast<unsigned char>(text[at + i]));
  };
  const char32_t first = byte(0);
  if (first < 0xc0) {
    return first;
  }
  if (first < 0xe0) {
    return (first & 0x1f) << 6 | (byte(1) & 0x3f);
  }
  if (first < 0xf0) {
    return (first & 0x0f) << 12 | (byte(1) & 0x3f) << 6 | (byte(2) & 0x3f);
  }
  return (first & 0x07) << 18 | (byte(1) & 0x3f) << 12 | (byte(2) & 0x3f) << 6 | (byte(3) & 0x3f);
}

// Capital letters of the Latin, Greek and Cyrillic alphabets.
bool is_capital(char32_t c) {
  if (c < 0x80) {
    return c >= U'A' && c <= U'Z';
  }
  if (c < 0x100) {
    return c >= 0xc0 && c <= 0xde && c != 0xd7;
  }
  if (c < 0x180) {
    // In pairs, the capital first; between U+0139 and U+0148 and from U+0179 on it has the odd
    // number.
    const bool odd = (c >= 0x139 && c <= 0x148) || c >= 0x179;
    return c == 0x178 || (odd ? c % 2 == 1 : c % 2 == 0 && c != 0x138);
  }
  if (c >= 0x1e00 && c < 0x1f00) {
    return c % 2 == 0;
  }
  return (c >= 0x386 && c <= 0x3ab && c != 0x387 && c != 0x390) || (c >= 0x400 && c <= 0x42f);
}

// Letters in and beyond ASCII; punctuation and symbols beyond it are none.
bool is_letter_of_name(char32_t c) {
  if (c < 0x80) {
    return is_letter(static_cast<char>(c));
  }
  return c >= 0xc0 && c != 0xd7 && c != 0xf7 && !(c >= 0x2000 && c < 0x2e80) &&
         !(c >= 0x3000 && c < 0x3040);
}

std::size_t bytes_of(char32_t c) { return c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4; }

// The end of the word that starts here; a single apostrophe or hyphen may stand inside it.
std::size_t word_end(std::string_view text, std::size_t at) {
  const std::size_t begin = at;
  while (at - begin < kWordBytesMax) {
    const char32_t c = character_at(text, at);
    const bool joint = c == U'\'' || c == U'-' || c == U'\u2019';
    const bool joins =
        joint && at > begin && is_letter_of_name(character_at(text, at + bytes_of(c)));
    if (!is_letter_of_name(c) && !joins) {
      break;
    }
    at += bytes_of(c);
  }
  return at;
}

std::string_view without_possessive(std::string_view word) {
  for (const std::string_view ending : {"'s", "\u2019s"}) {
    if (word.ends_with(ending)) {
      word.remove_suffix(ending.size());
    }
  }
  return word;
}

// Past one blank, so that the next word of the same line may follow; the same place when there is
// none.
std::size_t past_blank(std::string_view text, std::size_t at) {
  return at < text.size() && text[at] == ' ' ? at + 1 : at;
}

// Past particles that lead to another word.
std::size_t past_particles(std::string_view text, std::size_t at) {
  for (int i = 0; i < 2; ++i) {
    const std::size_t end = word_end(text, at);
    if (end == at || !is_particle(text.substr(at, end - at)) || past_blank(text, end) == end) {
      break;
    }
    at = end + 1;
  }
  return at;
}

}  // namespace

Name name_at(std::string_view text, std::size_t at) {
  Name name{at, at, 0};
  while (name.words < kWordsMax) {
    const std::size_t start = past_particles(text, at);
    const std::size_t end = word_end(text, start);
    if (end == start || !is_capital(character_at(text, start))) {
      break;
    }
    const std::string_view whole = text.substr(start, end - start);
    const std::string_view word = without_possessive(whole);
    // "Anna K. Schmidt" and "Martin A Pereira": a letter alone, once a name has begun.
    const bool initial = name.words > 0 && word.size() == 1 && word != "I";
    if (!initial && is_no_name(word)) {
      break;
    }
    name.end = start + word.size();
    ++name.words;
    const bool dotted = word.size() <= 2 && end < text.size() && text[end] == '.';
    const std::size_t next = past_blank(text, end + (dotted ? 1 : 0));
    if (word.size() != whole.size() || next == end) {
      break;
    }
    at = next;
  }
  return name;
}

Name lower_name_at(std::string_view text, std::size_t at) {
  Name name{at, at, 0};
  while (name.words < 2) {
    const std::size_t end = word_end(text, at);
    const std::string_view word = without_possessive(text.substr(at, end - at));
    if (word.size() < 2 || is_capital(character_at(text, at)) || is_no_name(word)) {
      break;
    }
    name.end = at + word.size();
    ++name.words;
    at = past_blank(text, end);
    if (at == end) {
      break;
    }
  }
  return name;
}

}  // namespace aios::govern::detail
