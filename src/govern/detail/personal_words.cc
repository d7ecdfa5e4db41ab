// SPDX-License-Identifier: Apache-2.0
#include "govern/detail/personal.h"

#include "core/text.h"
#include "govern/detail/name_lists.h"
#include "govern/detail/name_words.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <string>

namespace aios::govern::detail {
namespace {

constexpr std::size_t kRepeatsMax = 64;

constexpr std::string_view kTitles =
    R"((?:(?i:mr|mrs|ms|miss|mx|dr|prof|herrn?|frau|sir|madam|mme|m|monsieur|madame|)"
    R"(sra?|señora?|don|doña)\.?[ ]){0,2})";

// After these words comes a name, whatever it looks like.
constexpr std::string_view kIntroduced =
    R"((?i:\b(?:my name is|my name's|name is|names? ?:|i am called|they call me|mein name ist|)"
    R"(mein name:|ich hei(?:ß|ss)e|je m['’]appelle|mon nom est|me llamo|mi nombre es|mi chiamo|)"
    R"(nazywam się|jag heter|mitt namn är|jeg heter|ik heet|mijn naam is|)"
    R"((?:first|last|sur|maiden|full|family|customer|account|user) ?name ?(?:is|:)|)"
    R"(under the name|in the name of|on behalf of|signed:?|attn:?|regards to)\s{1,8}))";

// Those whom a writer speaks of: "my son Jonas", "the account of Eva Novak".
constexpr std::string_view kRelated =
    R"((?i:\b(?:(?:my|our|his|her|their|mein(?:e|em|en|er)?) (?:(?:late|elder|younger|ex-?) ?)?)"
    R"((?:son|daughter|kid|child|wife|husband|partner|spouse|fiancée?|mother|father|mum|mom|dad|)"
    R"(brother|sister|aunt|uncle|cousin|colleague|friend|boss|neighbou?r|roommate|)"
    R"(sohn|tochter|frau|mann|mutter|vater|bruder|schwester|kollegin|kollege)|)"
    R"((?:account|order|contract|policy) of|)"
    R"((?:it|that)(?:'s| is) under|belongs to|registered (?:to|for)|partner's name),?[ ]))";

// "I'm German", "this is Great": only what looks like a whole name, or one that a pause follows.
constexpr std::string_view kSaid =
    R"((?i:\b(?:i am|i['’]?m|this is|here is|ich bin|hier ist|hier spricht|det här är|)"
    R"(je suis|soy|sono)[ ]))";
constexpr std::string_view kGreeted =
    R"((?:^|[\n>"]|[.!?:]\s)\s{0,4}(?i:hi|hello|hey|dear|good (?:morning|afternoon|evening|day)|)"
    R"(greetings|hallo|guten (?:tag|morgen|abend)|moin|liebe[rs]?|sehr geehrte[r]?|bonjour|salut|)"
    R"(chère?|hola|estimad[oa]|buenos días|ciao|gentile),?[ ])";

constexpr std::string_view kTitled =
    R"((?:^|[^\p{L}])(?i:mr|mrs|ms|miss|mx|dr|prof|herrn?|frau|mme|monsieur|madame|señora?)\.?[ ])";

constexpr std::string_view kSigned =
    R"((?i:regards|wishes|sincerely|truly|faithfully|cheers|thanks|thank you|yours|love|grüßen?|)"
    R"(gruß|gruss|grüsse|mfg|lg|vg|hälsning(?:ar)?|mvh|hilsen|groet(?:en)?|)"
    R"(cordialement|saludos|atentamente|saluti)[,.!]?[ ]{0,4})"
    R"(\r?\n\s{0,8})";

// Chat without capitals: only after the clearest of introductions.
constexpr std::string_view kClearlyIntroduced =
    R"((?i:\bmy name(?: is|['’]?s)|mein name ist|me llamo|je m['’]appelle)\s{1,4})";

constexpr std::string_view kBorn =
    R"((?i:\b(?:born|birth|birthday|birthdate|d\.?o\.?b\.?|geboren|geburtsdatum|geb\.|geburtstag|)"
    R"(née?|naissance|nacid[oa]|nacimiento)\b\.?[\s:=-]{0,4})"
    R"((?:(?:is|was|on|am|den|le|el|the|in|date|of|ist|:)[\s:]{1,3}){0,3}))"
    R"((\d{1,2}[./-]\d{1,2}[./-]\d{2,4}|\d{4}[./-]\d{1,2}[./-]\d{1,2}|)"
    R"(\d{1,2}(?:st|nd|rd|th|\.)?[ ](?:(?:of|de)[ ])?\p{L}{3,10}\.?,?[ ](?:de[ ])?\d{4}|)"
    R"(\p{L}{3,10}\.?[ ]\d{1,2}(?:st|nd|rd|th)?,?[ ]\d{4})\b)";

// Only what stands before a name is a pattern: without captures, RE2 needs its automaton only.
struct Patterns {
  RE2 introduced;
  RE2 said;
  RE2 signed_off;
  RE2 clearly_introduced;
  RE2 born;

  explicit Patterns(const RE2::Options& options)
      : introduced(
            fmt::format("(?:{}|{}|{}|{}){}", kIntroduced, kRelated, kGreeted, kTitled, kTitles),
            options),
        said(fmt::format("{}{}", kSaid, kTitles), options),
        signed_off(re2::StringPiece(kSigned.data(), kSigned.size()), options),
        clearly_introduced(re2::StringPiece(kClearlyIntroduced.data(), kClearlyIntroduced.size()),
                           options),
        born(re2::StringPiece(kBorn.data(), kBorn.size()), options) {
    for (const RE2* pattern : {&introduced, &said, &signed_off, &clearly_introduced, &born}) {
      AIOS_ASSERT(pattern->ok());
    }
  }
};

// Compiled once, at first use; never destroyed, so that threads may use it to the end.
const Patterns& patterns() {
  static const Patterns* const compiled = [] {
    RE2::Options options;
    options.set_max_mem(std::int64_t{32} << 20);
    options.set_log_errors(false);
    return new Patterns(options);
  }();
  return *compiled;
}

// Calls back with the offset behind each match, from left to right.
template <class Act>
void each_match(std::string_view text, const RE2& pattern, Act act) {
  const re2::StringPiece all(text.data(), text.size());
  re2::StringPiece match;
  std::size_t at = 0;
  while (pattern.Match(all, at, all.size(), RE2::UNANCHORED, &match, 1)) {
    const auto end = static_cast<std::size_t>(match.data() - text.data()) + match.size();
    act(end);
    at = std::max(end, at + 1);
  }
}

// What follows a name that was said in passing: a pause, or a word that goes on about the person.
bool pauses(std::string_view rest) {
  constexpr std::array<std::string_view, 8> kWords = {"from", "calling", "writing", "here",
                                                      "and",  "von",     "aus",     "und"};
  const std::size_t start = std::min(rest.find_first_not_of(" \t"), rest.size());
  rest.remove_prefix(start);
  if (rest.empty() || std::string_view(",.!;\n\r)").find(rest[0]) != std::string_view::npos) {
    return true;
  }
  return start > 0 && std::any_of(kWords.begin(), kWords.end(), [&](std::string_view word) {
           return rest.starts_with(word) &&
                  (rest.size() == word.size() || !is_word(rest[word.size()]));
         });
}

bool is_shouted(std::string_view words) {
  return std::none_of(words.begin(), words.end(), [](char c) { return c >= 'a' && c <= 'z'; });
}

bool line_ends(std::string_view rest) {
  const std::size_t start = rest.find_first_not_of(" \t\r");
  return start == std::string_view::npos || rest[start] == '\n';
}

void add_names(std::string_view text, std::vector<Finding>& found) {
  each_match(text, patterns().introduced, [&](std::size_t end) {
    if (const Name name = name_at(text, end); name.words > 0) {
      found.push_back({"name", name.begin, name.end});
    }
  });
  each_match(text, patterns().said, [&](std::size_t end) {
    const Name name = name_at(text, end);
    const std::string_view words = text.substr(name.begin, name.end - name.begin);
    if (end >= 2 && is_shouted(text.substr(end - 2, 1)) && is_shouted(words)) {
      return;  // "I AM MISSING CASH": capitals say nothing here
    }
    const bool german = ascii_lower(text.substr(end - std::min<std::size_t>(end, 3), 3)) == "im ";
    if (german && !is_given_name(words.substr(0, words.find(' ')))) {
      return;  // "I'm" without its apostrophe, or "im Schrank"
    }
    if (name.words > 1 || (name.words == 1 && pauses(text.substr(name.end)))) {
      found.push_back({"name", name.begin, name.end});
    }
  });
  each_match(text, patterns().signed_off, [&](std::size_t end) {
    const Name name = name_at(text, end);
    if (name.words > 0 && line_ends(text.substr(name.end))) {
      found.push_back({"name", name.begin, name.end});
    }
  });
  each_match(text, patterns().clearly_introduced, [&](std::size_t end) {
    if (const Name name = lower_name_at(text, end); name.words > 0) {
      found.push_back({"name", name.begin, name.end});
    }
  });
}

void add_dates(std::string_view text, std::vector<Finding>& found) {
  re2::StringPiece rest(text.data(), text.size());
  re2::StringPiece part;
  while (RE2::FindAndConsume(&rest, patterns().born, &part)) {
    const auto begin = static_cast<std::size_t>(part.data() - text.data());
    found.push_back({"birth_date", begin, begin + part.size()});
  }
}

// A name once introduced is a name wherever it stands again.
void add_repeats(std::string_view text, std::vector<Finding>& found) {
  std::vector<std::string_view> names;
  for (const Finding& finding : found) {
    const std::string_view name = text.substr(finding.begin, finding.end - finding.begin);
    const bool known = std::find(names.begin(), names.end(), name) != names.end();
    if (finding.kind == "name" && name.size() >= 4 && !known && names.size() < kRepeatsMax) {
      names.push_back(name);
    }
  }
  for (const std::string_view name : names) {
    for (std::size_t at = text.find(name); at != std::string_view::npos;
         at = text.find(name, at + 1)) {
      const std::size_t end = at + name.size();
      const bool bounded =
          (at == 0 || !is_word(text[at - 1])) && (end == text.size() || !is_word(text[end]));
      if (bounded) {
        found.push_back({"name", at, end});
      }
    }
  }
}

}  // namespace

void find_by_words(std::string_view text, std::vector<Finding>& found) {
  add_names(text, found);
  find_by_context(text, found);
  if (std::count_if(text.begin(), text.end(), is_digit) >= 4) {
    add_dates(text, found);
  }
  add_repeats(text, found);
}

}  // namespace aios::govern::detail
