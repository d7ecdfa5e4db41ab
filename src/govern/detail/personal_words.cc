// SPDX-License-Identifier: Apache-2.0
#include "govern/detail/personal.h"

#include "core/text.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <string>

namespace aios::govern::detail {
namespace {

constexpr std::size_t kRepeatsMax = 64;

// A word of a name begins with a capital; particles may stand between two of them.
constexpr std::string_view kWord = R"(\p{Lu}[\p{L}'’-]{0,40}\.?)";
constexpr std::string_view kParticles =
    R"((?:(?:van|von|vom|zu|de|der|den|del|della|da|di|dos|du|la|le|el|al|bin|ibn|ter)[ ]){0,2})";
constexpr std::string_view kTitles =
    R"((?:(?i:mr|mrs|ms|miss|mx|dr|prof|herrn?|frau|sir|madam|mme|m|monsieur|madame|)"
    R"(sra?|señora?|don|doña)\.?[ ]){0,2})";

// After these words comes a name, whatever it looks like.
constexpr std::string_view kIntroduced =
    R"((?i:\b(?:my name is|my name's|name is|names? ?:|i am called|they call me|mein name ist|)"
    R"(mein name:|ich hei(?:ß|ss)e|je m['’]appelle|mon nom est|me llamo|mi nombre es|mi chiamo|)"
    R"(nazywam się|(?:first|last|sur|maiden|full|family|customer|account|user) ?name ?(?:is|:)|)"
    R"(under the name|in the name of|on behalf of|signed:?|attn:?|regards to)\s{1,8}))";

// Those whom a writer speaks of: "my son Jonas", "the account of Eva Novak".
constexpr std::string_view kRelated =
    R"((?i:\b(?:(?:my|our|his|her|their|mein(?:e|em|en|er)?) (?:(?:late|elder|younger|ex-?) ?)?)"
    R"((?:son|daughter|kid|child|wife|husband|partner|spouse|fiancée?|mother|father|mum|mom|dad|)"
    R"(brother|sister|aunt|uncle|cousin|colleague|friend|boss|neighbou?r|roommate|sohn|tochter|frau|)"
    R"(mann|mutter|vater|bruder|schwester|kollegin|kollege)|(?:account|order|contract|policy) of|)"
    R"((?:it|that)(?:'s| is) under|belongs to|registered (?:to|for)|partner's name),?[ ]))";

// "I'm German", "this is Great": only what looks like a whole name, or one that a pause follows.
constexpr std::string_view kSaid =
    R"((?i:\b(?:i am|i['’]?m|this is|here is|ich bin|hier ist|hier spricht|je suis|soy|sono)[ ]))";
constexpr std::string_view kPause =
    R"((\s{0,3}(?:[,.!;\n)]|$|from\b|calling\b|writing\b|here\b|and\b|von\b|aus\b|und\b))?)";

constexpr std::string_view kGreeted =
    R"((?:^|[\n>"]|[.!?:]\s)\s{0,4}(?i:hi|hello|hey|dear|good (?:morning|afternoon|evening|day)|)"
    R"(greetings|hallo|guten (?:tag|morgen|abend)|moin|liebe[rs]?|sehr geehrte[r]?|bonjour|salut|)"
    R"(chère?|hola|estimad[oa]|buenos días|ciao|gentile),?[ ])";

constexpr std::string_view kTitled =
    R"((?:^|[^\p{L}])(?i:mr|mrs|ms|miss|mx|dr|prof|herrn?|frau|mme|monsieur|madame|señora?)\.?[ ])";

constexpr std::string_view kSigned =
    R"((?i:regards|wishes|sincerely|truly|faithfully|cheers|thanks|thank you|yours|love|grüßen?|)"
    R"(gruß|gruss|grüsse|mfg|lg|vg|cordialement|saludos|atentamente|saluti)[,.!]?[ ]{0,4})"
    R"(\r?\n\s{0,8})";
constexpr std::string_view kLineEnd = R"([ ]{0,4}(?:\r?\n|$))";

// Chat without capitals: only after the clearest of introductions.
constexpr std::string_view kLowerIntroduced =
    R"((?i:\bmy name(?: is|['’]?s)|mein name ist|me llamo|je m['’]appelle)\s{1,4})"
    R"(([\p{Ll}][\p{L}'’-]{1,40}(?:[ ]\p{Ll}[\p{L}'’-]{1,40})?))";

constexpr std::string_view kBorn =
    R"((?i:\b(?:born|birth|birthday|birthdate|d\.?o\.?b\.?|geboren|geburtsdatum|geb\.|geburtstag|)"
    R"(née?|naissance|nacid[oa]|nacimiento)\b\.?[\s:=-]{0,4})"
    R"((?:(?:is|was|on|am|den|le|el|the|in|date|of|ist|:)[\s:]{1,3}){0,3}))"
    R"((\d{1,2}[./-]\d{1,2}[./-]\d{2,4}|\d{4}[./-]\d{1,2}[./-]\d{1,2}|)"
    R"(\d{1,2}(?:st|nd|rd|th|\.)?[ ](?:(?:of|de)[ ])?\p{L}{3,10}\.?,?[ ](?:de[ ])?\d{4}|)"
    R"(\p{L}{3,10}\.?[ ]\d{1,2}(?:st|nd|rd|th)?,?[ ]\d{4})\b)";

std::string name_after(std::string_view before, std::string_view after = {}) {
  return fmt::format("{}{}({}{}(?:[ ]{}{}){{0,3}}){}", before, kTitles, kParticles, kWord,
                     kParticles, kWord, after);
}

struct Patterns {
  RE2 introduced;
  RE2 related;
  RE2 said;
  RE2 greeted;
  RE2 titled;
  RE2 signed_off;
  RE2 lower_introduced;
  RE2 born;

  explicit Patterns(const RE2::Options& options)
      : introduced(name_after(kIntroduced), options),
        related(name_after(kRelated), options),
        said(name_after(kSaid, kPause), options),
        greeted(name_after(kGreeted), options),
        titled(name_after(kTitled), options),
        signed_off(name_after(kSigned, kLineEnd), options),
        lower_introduced(re2::StringPiece(kLowerIntroduced.data(), kLowerIntroduced.size()),
                         options),
        born(re2::StringPiece(kBorn.data(), kBorn.size()), options) {
    for (const RE2* pattern :
         {&introduced, &related, &said, &greeted, &titled, &signed_off, &lower_introduced, &born}) {
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

// Words with a capital that are addressed or introduced and are no names.
bool is_no_name(std::string_view word) {
  constexpr auto kWords = std::to_array<std::string_view>(
      {"a",         "again",      "agent",     "all",     "also",    "an",         "and",
       "anyone",    "as",         "at",        "because", "bot",     "but",        "can",
       "christmas", "colleagues", "customer",  "damen",   "doctor",  "english",    "everybody",
       "everyone",  "folks",      "for",       "friend",  "friends", "from",       "german",
       "good",      "guys",       "happy",     "he",      "help",    "herren",     "hi",
       "hotline",   "how",        "i",         "i'd",     "i'll",    "i'm",        "i've",
       "if",        "in",         "incorrect", "is",      "it",      "just",       "kundenservice",
       "listed",    "looking",    "madam",     "madame",  "manager", "misspelled", "monday",
       "my",        "new",        "no",        "not",     "on",      "order",      "our",
       "please",    "sales",      "service",   "she",     "sir",     "so",         "sorry",
       "spelled",   "spelt",      "support",   "team",    "thank",   "thanks",     "that",
       "the",       "there",      "they",      "this",    "to",      "unknown",    "very",
       "was",       "we",         "what",      "when",    "where",   "who",        "why",
       "with",      "world",      "would",     "wrong",   "yes",     "you",        "your"});
  const std::string lower = ascii_lower(word);
  return std::binary_search(kWords.begin(), kWords.end(), std::string_view(lower));
}

std::size_t offset_of(std::string_view text, const re2::StringPiece& part) {
  return static_cast<std::size_t>(part.data() - text.data());
}

struct Name {
  std::size_t begin = 0;
  std::size_t end = 0;
  bool whole = false;  // more than one word
};

// Cuts the match at the first word that is no name; empty when nothing is left.
Name clean_name(std::string_view text, const re2::StringPiece& part) {
  Name name{offset_of(text, part), offset_of(text, part), false};
  std::size_t words = 0;
  std::size_t at = name.begin;
  const std::size_t limit = at + part.size();
  while (at < limit) {
    const std::size_t end = std::min(text.find(' ', at), limit);
    std::string_view word = text.substr(at, end - at);
    const bool possessive = word.ends_with("'s") || word.ends_with("’s");
    if (possessive) {
      word.remove_suffix(word.ends_with("'s") ? 2 : 4);
    }
    // The full stop of a sentence is no part of the name; that of an initial is.
    const bool stop = word.ends_with('.') && word.size() > 2;
    if (stop) {
      word.remove_suffix(1);
    }
    const bool initial = words > 0 && word.size() == 1 && word != "I";
    if (word.empty() || (!initial && is_no_name(word))) {
      break;
    }
    name.end = at + word.size();
    ++words;
    if (stop || possessive) {
      break;
    }
    at = end + 1;
  }
  name.whole = words > 1;
  return name;
}

void add_names(std::string_view text, const RE2& pattern, std::vector<Finding>& found) {
  re2::StringPiece rest(text.data(), text.size());
  re2::StringPiece part;
  while (RE2::FindAndConsume(&rest, pattern, &part)) {
    const Name name = clean_name(text, part);
    if (name.end > name.begin) {
      found.push_back({"name", name.begin, name.end});
    }
  }
}

void add_said(std::string_view text, std::vector<Finding>& found) {
  re2::StringPiece rest(text.data(), text.size());
  re2::StringPiece part;
  re2::StringPiece pause;
  while (RE2::FindAndConsume(&rest, patterns().said, &part, &pause)) {
    const Name name = clean_name(text, part);
    const bool cut = name.end < offset_of(text, part) + part.size();
    if (name.end > name.begin && (name.whole || cut || !pause.empty())) {
      found.push_back({"name", name.begin, name.end});
    }
  }
}

void add_dates(std::string_view text, std::vector<Finding>& found) {
  re2::StringPiece rest(text.data(), text.size());
  re2::StringPiece part;
  while (RE2::FindAndConsume(&rest, patterns().born, &part)) {
    found.push_back({"birth_date", offset_of(text, part), offset_of(text, part) + part.size()});
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
  add_names(text, patterns().introduced, found);
  add_names(text, patterns().related, found);
  add_names(text, patterns().greeted, found);
  add_names(text, patterns().titled, found);
  add_names(text, patterns().signed_off, found);
  add_names(text, patterns().lower_introduced, found);
  add_said(text, found);
  if (std::count_if(text.begin(), text.end(), is_digit) >= 4) {
    add_dates(text, found);
  }
  add_repeats(text, found);
}

}  // namespace aios::govern::detail
