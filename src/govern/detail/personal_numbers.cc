// SPDX-License-Identifier: Apache-2.0
#include "govern/detail/personal.h"

#include "core/text.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>

namespace aios::govern::detail {
namespace {

constexpr std::size_t kGroupsMax = 10;
constexpr std::size_t kDigitsMax = 24;
constexpr std::size_t kWordsBefore = 32;
constexpr std::size_t kWordsAfter = 12;

struct Group {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::size_t size() const { return end - begin; }
};

// Digits in groups that stand together: "+49 (0)30 1234-56".
struct Run {
  std::vector<Group> groups;
  std::string digits;
  std::size_t begin = 0;  // of the '+' or '(' before the first group
  std::size_t end = 0;

  // True when the groups have these lengths.
  bool shaped(std::initializer_list<std::size_t> lengths) const {
    return std::equal(
        groups.begin(), groups.end(), lengths.begin(), lengths.end(),
        [](const Group& group, std::size_t length) { return group.size() == length; });
  }
};

bool is_separator(char c) { return std::strchr(" .-/()", c) != nullptr && c != '\0'; }

std::string_view between(std::string_view text, const Group& a, const Group& b) {
  return text.substr(a.end, b.begin - a.end);
}

int number_of(std::string_view text, const Group& group) {
  int number = 0;
  for (std::size_t at = group.begin; at < group.end && number < 10'000; ++at) {
    number = number * 10 + (text[at] - '0');
  }
  return number;
}

bool is_day_and_month(int a, int b) {
  return a >= 1 && b >= 1 && a <= 31 && b <= 31 && std::min(a, b) <= 12;
}

// The length of a date that starts with this group, in groups; 0: none.
std::size_t date_length(std::string_view text, const std::vector<Group>& groups, std::size_t at) {
  if (at + 2 >= groups.size()) {
    return 0;
  }
  const auto mark = between(text, groups[at], groups[at + 1]);
  // Four groups with one mark between them are an address or a phone: "28-64-66-98".
  const auto joined = [&](std::size_t i) {
    return between(text, groups[i], groups[i + 1]) == mark;
  };
  const bool longer = (at > 0 && joined(at - 1)) || (at + 3 < groups.size() && joined(at + 2));
  if ((mark != "." && mark != "/" && mark != "-") || !joined(at + 1) || longer) {
    return 0;
  }
  const int a = number_of(text, groups[at]);
  const int b = number_of(text, groups[at + 1]);
  const int c = number_of(text, groups[at + 2]);
  const std::size_t year_digits = groups[at + 2].size();
  const bool day_first = is_day_and_month(a, b) && (year_digits == 4 || year_digits == 2);
  const bool year_first = a >= 1000 && a < 3000 && is_day_and_month(b, c);
  return day_first || year_first ? 3 : 0;
}

std::vector<Group> groups_from(std::string_view text, std::size_t& at) {
  std::vector<Group> groups;
  std::size_t digits = 0;
  while (at < text.size() && groups.size() < kGroupsMax && digits < kDigitsMax) {
    Group group{at, at};
    while (group.end < text.size() && is_digit(text[group.end])) {
      ++group.end;
    }
    groups.push_back(group);
    digits += group.size();
    at = group.end;
    std::size_t next = at;
    while (next < text.size() && next - at < 3 && is_separator(text[next])) {
      ++next;
    }
    if (next == at || next == text.size() || !is_digit(text[next])) {
      break;
    }
    at = next;
  }
  return groups;
}

Run run_of(std::string_view text, std::vector<Group> groups) {
  Run run;
  for (const Group& group : groups) {
    run.digits.append(text.substr(group.begin, group.size()));
  }
  run.begin = groups.front().begin;
  run.end = groups.back().end;
  while (run.begin > 0 && (text[run.begin - 1] == '+' || text[run.begin - 1] == '(')) {
    --run.begin;
  }
  run.groups = std::move(groups);
  return run;
}

// Lengths and first digits that issuers use; Maestro has the short ones.
bool is_card(const Run& run) {
  const std::string_view digits = run.digits;
  if (digits.size() < 12 || digits.size() > 19 || !fits_luhn(digits) ||
      digits.find_first_not_of('0') == std::string_view::npos) {
    return false;
  }
  const bool short_one = digits.size() == 12;
  const bool maestro = digits[0] == '6' || digits.starts_with("50") || digits.starts_with("0604") ||
                       (digits[0] == '5' && digits[1] >= '6');
  const bool others = (digits[0] >= '2' && digits[0] <= '6') || digits.starts_with("1800");
  const bool even_groups = run.groups.size() == 1 || run.shaped({4, 4, 4, 4}) ||
                           run.shaped({4, 6, 5}) || run.shaped({4, 6, 4}) ||
                           run.shaped({4, 4, 4, 4, 3}) || run.shaped({4, 4, 4, 1});
  return even_groups && (short_one ? maestro : maestro || others);
}

bool is_ssn(std::string_view text, const Run& run) {
  if (!run.shaped({3, 2, 4}) || between(text, run.groups[0], run.groups[1]) != "-" ||
      between(text, run.groups[1], run.groups[2]) != "-") {
    return false;
  }
  const std::string_view digits = run.digits;
  return !digits.starts_with("000") && !digits.starts_with("666") && digits[0] != '9' &&
         digits.substr(3, 2) != "00" && digits.substr(5) != "0000";
}

// German tax id: eleven digits, one of the first ten twice or thrice, ISO 7064 mod 11,10.
bool is_steuer_id(const Run& run) {
  const std::string_view digits = run.digits;
  const bool shape = run.groups.size() == 1 || run.shaped({2, 3, 3, 3});
  if (digits.size() != 11 || digits[0] == '0' || !shape) {
    return false;
  }
  std::array<int, 10> seen{};
  int product = 10;
  for (std::size_t i = 0; i < 10; ++i) {
    const int digit = digits[i] - '0';
    ++seen[static_cast<std::size_t>(digit)];
    const int sum = (digit + product) % 10;
    product = (sum == 0 ? 10 : sum) * 2 % 11;
  }
  const auto repeated = std::count_if(seen.begin(), seen.end(), [](int n) { return n > 1; });
  const int check = (11 - product) % 10;
  return repeated == 1 && *std::max_element(seen.begin(), seen.end()) <= 3 &&
         check == digits[10] - '0';
}

bool is_ipv4(std::string_view text, const Run& run) {
  if (run.groups.size() != 4) {
    return false;
  }
  for (std::size_t i = 0; i < 4; ++i) {
    const std::string_view part = text.substr(run.groups[i].begin, run.groups[i].size());
    const bool dotted = i == 0 || between(text, run.groups[i - 1], run.groups[i]) == ".";
    if (!dotted || part.size() > 3 || (part.size() > 1 && part[0] == '0') ||
        (part.size() == 3 && part > "255")) {
      return false;
    }
  }
  return true;
}

// True when one of the words starts somewhere in the text: "tel" in "Tel.:", not in "hotel".
template <std::size_t N>
bool has_word(std::string_view text, const std::array<std::string_view, N>& words) {
  const std::string lower = ascii_lower(text);
  for (const std::string_view word : words) {
    for (std::size_t at = lower.find(word); at != std::string::npos;
         at = lower.find(word, at + 1)) {
      if (at == 0 || !is_word(lower[at - 1])) {
        return true;
      }
    }
  }
  return false;
}

bool word_near(std::string_view text, const Run& run) {
  constexpr std::array<std::string_view, 14> kBefore = {
      "call", "phone", "tel",     "mobile",   "cell",        "fax",   "whatsapp",
      "sms",  "dial",  "ring me", "reach me", "messages to", "handy", "my number is"};
  constexpr std::array<std::string_view, 6> kAfter = {"office", "fax",   "mobile",
                                                      "cell",   "phone", "home"};
  const std::size_t from = run.begin > kWordsBefore ? run.begin - kWordsBefore : 0;
  std::string_view before = text.substr(from, run.begin - from);
  before.remove_prefix(before.rfind('\n') + 1);  // npos + 1 is 0
  const std::string_view after = text.substr(run.end, kWordsAfter);
  return has_word(before, kBefore) || has_word(after.substr(0, after.find('\n')), kAfter);
}

bool is_phone(std::string_view text, const Run& run) {
  const std::size_t count = run.digits.size();
  if (count < 6 || count > 15) {
    return false;
  }
  const char first = text[run.begin];
  if (first == '+' || (first == '(' && run.begin > 0 && text[run.begin - 1] == '+')) {
    return count >= 8;
  }
  if (run.digits.starts_with("00")) {
    return count >= 10;
  }
  if (run.digits[0] == '0' && count >= 9 && count <= 12) {
    return true;
  }
  if (run.shaped({3, 3, 4}) || (run.shaped({1, 3, 3, 4}) && run.digits[0] == '1')) {
    return true;
  }
  return (run.groups.size() > 1 || count >= 7) && word_near(text, run);
}

bool classify(std::string_view text, const Run& run, std::vector<Finding>& found) {
  if (is_ipv4(text, run)) {
    found.push_back({"ip", run.groups.front().begin, run.end});
  } else if (is_ssn(text, run) || is_steuer_id(run)) {
    found.push_back({"national_id", run.groups.front().begin, run.end});
  } else if (is_card(run)) {
    found.push_back({"card", run.groups.front().begin, run.end});
  } else if (is_phone(text, run)) {
    found.push_back({"phone", run.begin, run.end});
  } else {
    return false;
  }
  return true;
}

// A date without a year or a month with one at the end, "24.12." or "12/29", in groups; 0: none.
std::size_t tail_length(std::string_view text, const std::vector<Group>& groups) {
  if (groups.size() < 3) {
    return 0;
  }
  const Group& first = groups[groups.size() - 2];
  const Group& second = groups.back();
  const auto mark = between(text, first, second);
  const bool month_and_year =
      number_of(text, first) >= 1 && number_of(text, first) <= 12 && second.size() != 3;
  const bool fits = first.size() <= 2 && (second.size() <= 2 || second.size() == 4);
  const bool dated =
      month_and_year || is_day_and_month(number_of(text, first), number_of(text, second));
  return fits && dated && (mark == "/" || mark == ".") &&
                 between(text, groups[groups.size() - 3], first) != mark
             ? 2
             : 0;
}

// What is nothing as it stands may be one with something else behind it.
void classify_piece(std::string_view text, std::vector<Group> piece, std::vector<Finding>& found) {
  constexpr std::size_t phone_digits_max = 15;
  if (classify(text, run_of(text, piece), found)) {
    return;
  }
  const std::size_t tail = tail_length(text, piece);
  piece.resize(piece.size() - tail);
  if (tail != 0 && classify(text, run_of(text, piece), found)) {
    return;
  }
  Run run = run_of(text, piece);
  while (piece.size() > 1 && text[run.begin] == '+' && run.digits.size() > phone_digits_max) {
    piece.pop_back();
    run = run_of(text, piece);
    if (classify(text, run, found)) {
      return;
    }
  }
}

// A run may hold more than one thing: dates are taken out, the pieces between them are looked at.
void classify_pieces(std::string_view text, const std::vector<Group>& groups,
                     std::vector<Finding>& found) {
  std::vector<Group> piece;
  const auto flush = [&] {
    if (!piece.empty()) {
      classify_piece(text, std::exchange(piece, {}), found);
    }
  };
  for (std::size_t at = 0; at < groups.size(); ++at) {
    const std::size_t date = date_length(text, groups, at);
    if (date == 0) {
      piece.push_back(groups[at]);
      continue;
    }
    flush();
    at += date - 1;
  }
  flush();
}

}  // namespace

void find_numbers(std::string_view text, std::vector<Finding>& found) {
  for (std::size_t at = 0; at < text.size();) {
    if (!is_digit(text[at])) {
      ++at;
      continue;
    }
    // Part of a longer name such as "ORD-2026" or "v2.0": no number of a person.
    const char before = at > 0 ? text[at - 1] : ' ';
    const bool part_of_name = is_word(before) || before == '_' ||
                              ((before == '-' || before == '.') && at > 1 && is_word(text[at - 2]));
    const auto groups = groups_from(text, at);
    const std::size_t end = groups.back().end;
    const bool goes_on = end < text.size() && (is_word(text[end]) || text[end] == '_');
    at = std::max(at, end);
    if (!part_of_name && !goes_on) {
      classify_pieces(text, groups, found);
    }
  }
}

}  // namespace aios::govern::detail
