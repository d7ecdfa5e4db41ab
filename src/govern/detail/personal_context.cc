// SPDX-License-Identifier: Apache-2.0
// Names that nobody introduces. A run of words with capitals is a name when it begins with a known
// given name and goes on, or when what stands beside it is said of people: they speak and write,
// customers and drivers bear a name, letters and postal addresses end or begin with one. A known
// given name needs no sign, only that nothing speaks against it; several unknown words need one
// sign, an unknown word alone two.
#include "govern/detail/context_words.h"
#include "govern/detail/name_lists.h"
#include "govern/detail/name_words.h"
#include "govern/detail/personal.h"

#include "core/text.h"

#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <string>

namespace aios::govern::detail {
namespace {

constexpr std::size_t beside_bytes_max = 64;
constexpr std::size_t candidates_max = 2'000;  // what comes later in a text is not looked at
constexpr std::size_t mail_words_max = 64;
constexpr std::size_t mail_word_bytes_min = 4;

// Somebody was asked for a name; what follows answers.
constexpr std::string_view asked_pattern =
    R"((?i:\b(?:your|his|her|their|customer's|full|first|last) (?:\w{2,10} )?names?\b)"
    R"([^.?!:\n]{0,40}\?["']?\s{1,4}(?:[\p{L}]{2,12}: ?)?(?:it's |it is |sure,? )?)$)";

// A line with a house number, one or two lines below.
constexpr std::string_view house_pattern =
    R"(\A[ \t]*\r?\n(?:[>\t ]*[\p{L}\d][^\n]{0,60}\n)?[> \t]*)"
    R"((?:\d{1,5}\w? \p{L}|\p{L}[^\n]{2,40} \d{1,4}\w?\b))";

struct Patterns {
  RE2 asked;
  RE2 house;

  explicit Patterns(const RE2::Options& options)
      : asked(re2::StringPiece(asked_pattern.data(), asked_pattern.size()), options),
        house(re2::StringPiece(house_pattern.data(), house_pattern.size()), options) {
    AIOS_ASSERT(asked.ok() && house.ok());
  }
};

// Compiled once, at first use; never destroyed, so that threads may use it to the end.
const Patterns& patterns() {
  static const Patterns* const compiled = [] {
    RE2::Options options;
    options.set_max_mem(std::int64_t{16} << 20);
    options.set_log_errors(false);
    return new Patterns(options);
  }();
  return *compiled;
}

bool matches(std::string_view text, const RE2& pattern) {
  return pattern.Match({text.data(), text.size()}, 0, text.size(), RE2::UNANCHORED, nullptr, 0);
}

struct Candidate {
  Name name;           // no words: the run speaks of a thing
  bool given = false;  // begins with a known given name
  bool role = false;   // "customer", "Kunde" stands before it
  bool known = false;  // is a name
};

bool is_shouted(std::string_view word) {
  return word.size() > 1 &&
         std::all_of(word.begin(), word.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

std::string_view before(std::string_view text, std::size_t at) {
  const std::size_t size = std::min(at, beside_bytes_max);
  return text.substr(at - size, size);
}
std::string_view after(std::string_view text, std::size_t at) {
  return text.substr(at, beside_bytes_max);
}

Candidate candidate_of(std::string_view text, const Name& run) {
  Candidate out;
  std::vector<std::string_view> words = split(text.substr(run.begin, run.end - run.begin), ' ');
  if (words.size() > 1 && tells_role(words[0])) {
    out.role = true;
    words.erase(words.begin());
  }
  const bool given = is_given_name(words[0]);
  if (words.size() == 1 && words[0].size() == 1) {
    return {};
  }
  for (auto word = words.begin(); word != words.end(); ++word) {
    const bool surname = given && word != words.begin() && is_also_surname(*word);
    if (is_shouted(*word) || (is_of_things(*word) && !surname)) {
      return {};
    }
  }
  out.given = given;
  out.name.begin = static_cast<std::size_t>(words[0].data() - text.data());
  out.name.end = run.end;
  out.name.words = words.size();
  out.role = out.role || follows_role(before(text, out.name.begin));
  return out;
}

// A capital, something beyond ASCII, or a short word before one ("van Dyk", "de la Cruz"). Only to
// leave out quickly what name_at would refuse.
bool may_begin_name(std::string_view text, std::size_t at) {
  constexpr std::size_t particle_bytes_max = 5;
  if (text[at] < 'a' || text[at] > 'z') {
    return true;
  }
  const std::size_t blank = text.substr(at, particle_bytes_max + 1).find(' ');
  const std::size_t next = at + blank + 1;
  return blank != std::string_view::npos && next < text.size() &&
         (text[next] < 'a' || text[next] > 'z' || text[next] == 'd' || text[next] == 'l');
}

// From left to right.
std::vector<Candidate> candidates(std::string_view text) {
  std::vector<Candidate> out;
  std::size_t at = 0;
  while (at < text.size() && out.size() < candidates_max) {
    const bool begins = is_word(text[at]) && (at == 0 || !is_word(text[at - 1]));
    const Name run = begins && may_begin_name(text, at) ? name_at(text, at) : Name{};
    if (run.words > 0) {
      if (const Candidate candidate = candidate_of(text, run); candidate.name.words > 0) {
        out.push_back(candidate);
      }
    }
    at = run.words > 0 ? run.end : at + 1;
  }
  return out;
}

bool begins_line(std::string_view text, std::size_t at) {
  const std::size_t last = text.substr(0, at).find_last_not_of(" \t>\"*-/~");
  return last == std::string_view::npos || text[last] == '\n';
}

// The last line of a text, alone on it, under a sentence.
bool signs(std::string_view text, const Name& name) {
  if (text.find_first_not_of(" \t\r\n.", name.end) != std::string_view::npos ||
      !begins_line(text, name.begin)) {
    return false;
  }
  const std::size_t last = text.substr(0, name.begin).find_last_not_of(" \t\r\n>*-/~");
  return last != std::string_view::npos && std::string_view(".!?,").find(text[last]) < 4;
}

// "Ann Lee here,", "Ann speaking." at the start of a line.
bool announces_itself(std::string_view text, const Candidate& candidate) {
  const std::string_view right = after(text, candidate.name.end);
  for (const std::string_view word : {" here", " speaking", " hier"}) {
    if (!right.starts_with(word)) {
      continue;
    }
    const std::string_view rest = right.substr(word.size());
    const bool pauses = rest.empty() || std::string_view(",.!;\n\r").find(rest[0]) < 6 ||
                        rest.starts_with(" from ") || rest.starts_with(" and ");
    return pauses && begins_line(text, candidate.name.begin);
  }
  return false;
}

// The first line of a postal address: the name alone, and a house number two lines on at most.
bool heads_address(std::string_view text, const Name& name) {
  const std::string_view right = text.substr(name.end, 4 * beside_bytes_max);
  const std::size_t line_end = right.find_first_not_of(" \t\r");
  if (name.words < 2 || name.words > 3 || line_end == std::string_view::npos ||
      right[line_end] != '\n' || !begins_line(text, name.begin)) {
    return false;
  }
  const std::size_t last = text.substr(0, name.begin).find_last_not_of(" \t\r>\"*-/~\n");
  const std::size_t lines =
      last == std::string_view::npos
          ? 2
          : std::count(text.begin() + static_cast<std::ptrdiff_t>(last),
                       text.begin() + static_cast<std::ptrdiff_t>(name.begin), '\n');
  const bool first = lines > 1 || text[last] == ':' || text[last] == '.' || text[last] == ',';
  return first && matches(right, patterns().house);
}

// "935 Gordon Ravine", "Peter Zuiderhof 18": the name of a street.
bool has_house_number(std::string_view text, const Name& name) {
  const std::size_t last = text.substr(0, name.begin).find_last_not_of(' ');
  const std::size_t next = text.find_first_not_of(' ', name.end);
  return (last != std::string_view::npos && is_digit(text[last])) ||
         (next != std::string_view::npos && is_digit(text[next]));
}

// A given name with a surname needs no sign, unless it is that of a firm, a street or a title.
bool is_whole_name(std::string_view text, const Candidate& candidate) {
  const Name& name = candidate.name;
  if (!candidate.given || name.words < 2 || is_thing_behind(after(text, name.end)) ||
      has_house_number(text, name)) {
    return false;
  }
  const std::string_view words = text.substr(name.begin, name.end - name.begin);
  const std::size_t second = words.find(' ', words.find(' ') + 1);
  return !is_firm(words.substr(0, second)) && !is_firm(words);
}

bool answers_for_name(std::string_view left, std::string_view right) {
  return left.find('?') != std::string_view::npos && !right.starts_with(':') &&
         matches(left, patterns().asked);
}

bool is_known_by_signs(std::string_view text, const Candidate& candidate) {
  const Name& name = candidate.name;
  const std::string_view left = before(text, name.begin);
  const std::string_view right = after(text, name.end);
  const Deed deed = deed_behind(right);
  if (deed == Deed::of_people || answers_for_name(left, right)) {
    return true;
  }
  if (name.words == 1 && !candidate.given) {
    return candidate.role && (deed != Deed::none || owns_behind(right));
  }
  if (name.words == 1) {
    return !is_thing_behind(right) && !follows_article(left) && !has_house_number(text, name);
  }
  return candidate.role || deed != Deed::none || owns_behind(right) || follows_deed(left) ||
         follows_group(left) || signs(text, name) || announces_itself(text, candidate) ||
         heads_address(text, name) || (candidate.given && may_precede_given(left));
}

// "Ann Lee, Bob Ray and Cy Young": one that is known tells of its neighbours.
void join_neighbours(std::string_view text, std::vector<Candidate>& all) {
  constexpr auto between = std::to_array<std::string_view>(
      {" and ", ", and ", " & ", " und ", " och ", " et ", " y ", ", "});
  const auto spread = [&](Candidate& from, Candidate& to, const Candidate& left,
                          const Candidate& right) {
    const std::string_view joint = text.substr(left.name.end, right.name.begin - left.name.end);
    if (from.known && (to.given || to.name.words > 1) &&
        std::find(between.begin(), between.end(), joint) != between.end()) {
      to.known = true;
    }
  };
  for (std::size_t i = 1; i < all.size(); ++i) {
    spread(all[i - 1], all[i], all[i - 1], all[i]);
  }
  for (std::size_t i = all.size(); i > 1; --i) {
    spread(all[i - 1], all[i - 2], all[i - 2], all[i - 1]);
  }
}

// The words of the e-mail addresses, sorted: "ann.lee@example.com" has "ann" and "lee".
std::vector<std::string> words_of_addresses(std::string_view text,
                                            const std::vector<Finding>& found) {
  std::vector<std::string> words;
  for (const Finding& finding : found) {
    if (finding.kind != "email" || words.size() >= mail_words_max) {
      continue;
    }
    std::string local = ascii_lower(text.substr(finding.begin, finding.end - finding.begin));
    local.resize(std::min(local.find_first_of("@%&\\[({< "), local.size()));  // signs as written
    std::replace_if(
        local.begin(), local.end(), [](char c) { return c == '_' || c == '-' || c == '+'; }, '.');
    for (const std::string_view word : split(local, '.')) {
      if (word.size() >= mail_word_bytes_min && !is_mailbox(word)) {
        words.emplace_back(word);
      }
    }
  }
  std::sort(words.begin(), words.end());
  return words;
}

bool has_word_of(const std::vector<std::string>& words, std::string_view text, const Name& name) {
  const auto parts = split(text.substr(name.begin, name.end - name.begin), ' ');
  return std::any_of(parts.begin(), parts.end(), [&](std::string_view part) {
    return std::binary_search(words.begin(), words.end(), ascii_lower(part));
  });
}

}  // namespace

void find_by_context(std::string_view text, std::vector<Finding>& found) {
  std::vector<Candidate> all = candidates(text);
  if (all.empty()) {
    return;
  }
  const auto words = words_of_addresses(text, found);
  for (Candidate& candidate : all) {
    candidate.known = is_whole_name(text, candidate) || is_known_by_signs(text, candidate) ||
                      (!words.empty() && has_word_of(words, text, candidate.name));
  }
  join_neighbours(text, all);
  for (const Candidate& candidate : all) {
    if (candidate.known) {
      found.push_back({"name", candidate.name.begin, candidate.name.end});
    }
  }
}

}  // namespace aios::govern::detail
