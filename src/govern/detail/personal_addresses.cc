// SPDX-License-Identifier: Apache-2.0
#include "govern/detail/personal.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

namespace aios::govern::detail {
namespace {

bool in_ipv6(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == ':' || c == '.';
}

bool is_ipv6(std::string_view run) {
  std::array<char, INET6_ADDRSTRLEN> copy{};
  if (run.size() < 3 || run.size() >= copy.size()) {
    return false;
  }
  std::copy(run.begin(), run.end(), copy.begin());
  in6_addr address{};
  // "face::cafe" is one too, but more often a name of a program.
  const bool likely =
      std::count(run.begin(), run.end(), ':') >= 4 || std::any_of(run.begin(), run.end(), is_digit);
  return likely && inet_pton(AF_INET6, copy.data(), &address) == 1;
}

void find_ipv6(std::string_view text, std::vector<Finding>& found) {
  for (std::size_t colon = text.find(':'); colon != std::string_view::npos;
       colon = text.find(':', colon + 1)) {
    std::size_t begin = colon;
    while (begin > 0 && colon - begin < 4 && in_ipv6(text[begin - 1]) && text[begin - 1] != ':') {
      --begin;
    }
    std::size_t end = colon;
    while (end < text.size() && in_ipv6(text[end]) && end - begin < INET6_ADDRSTRLEN) {
      ++end;
    }
    const std::size_t run_end = end;
    while (end > begin && (text[end - 1] == '.' ||
                           (text[end - 1] == ':' && !text.substr(0, end).ends_with("::")))) {
      --end;
    }
    const bool bounded = (begin == 0 || !is_word(text[begin - 1])) &&
                         (run_end == text.size() || !is_word(text[run_end]));
    if (bounded && end > begin && is_ipv6(text.substr(begin, end - begin))) {
      found.push_back({"ip", begin, end});
    }
    colon = std::max(colon, run_end - 1);
  }
}

// Length of an IBAN by its country (ISO 13616 registry).
struct Country {
  std::array<char, 2> code;
  std::uint8_t length;
};
constexpr std::array kCountries = std::to_array<Country>({
    {{'A', 'D'}, 24}, {{'A', 'E'}, 23}, {{'A', 'L'}, 28}, {{'A', 'T'}, 20}, {{'A', 'Z'}, 28},
    {{'B', 'A'}, 20}, {{'B', 'E'}, 16}, {{'B', 'G'}, 22}, {{'B', 'H'}, 22}, {{'B', 'R'}, 29},
    {{'B', 'Y'}, 28}, {{'C', 'H'}, 21}, {{'C', 'R'}, 22}, {{'C', 'Y'}, 28}, {{'C', 'Z'}, 24},
    {{'D', 'E'}, 22}, {{'D', 'K'}, 18}, {{'D', 'O'}, 28}, {{'E', 'E'}, 20}, {{'E', 'G'}, 29},
    {{'E', 'S'}, 24}, {{'F', 'I'}, 18}, {{'F', 'O'}, 18}, {{'F', 'R'}, 27}, {{'G', 'B'}, 22},
    {{'G', 'E'}, 22}, {{'G', 'I'}, 23}, {{'G', 'L'}, 18}, {{'G', 'R'}, 27}, {{'G', 'T'}, 28},
    {{'H', 'R'}, 21}, {{'H', 'U'}, 28}, {{'I', 'E'}, 22}, {{'I', 'L'}, 23}, {{'I', 'Q'}, 23},
    {{'I', 'S'}, 26}, {{'I', 'T'}, 27}, {{'J', 'O'}, 30}, {{'K', 'W'}, 30}, {{'K', 'Z'}, 20},
    {{'L', 'B'}, 28}, {{'L', 'C'}, 32}, {{'L', 'I'}, 21}, {{'L', 'T'}, 20}, {{'L', 'U'}, 20},
    {{'L', 'V'}, 21}, {{'M', 'C'}, 27}, {{'M', 'D'}, 24}, {{'M', 'E'}, 22}, {{'M', 'K'}, 19},
    {{'M', 'R'}, 27}, {{'M', 'T'}, 31}, {{'M', 'U'}, 30}, {{'N', 'L'}, 18}, {{'N', 'O'}, 15},
    {{'P', 'K'}, 24}, {{'P', 'L'}, 28}, {{'P', 'S'}, 29}, {{'P', 'T'}, 25}, {{'Q', 'A'}, 29},
    {{'R', 'O'}, 24}, {{'R', 'S'}, 22}, {{'S', 'A'}, 24}, {{'S', 'C'}, 31}, {{'S', 'E'}, 24},
    {{'S', 'I'}, 19}, {{'S', 'K'}, 24}, {{'S', 'M'}, 27}, {{'S', 'T'}, 25}, {{'S', 'V'}, 28},
    {{'T', 'L'}, 23}, {{'T', 'N'}, 24}, {{'T', 'R'}, 26}, {{'U', 'A'}, 29}, {{'V', 'A'}, 22},
    {{'V', 'G'}, 24}, {{'X', 'K'}, 20},
});
constexpr std::size_t kIbanMax = 34;

char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

std::size_t iban_length(char first, char second) {
  for (const Country& country : kCountries) {
    if (country.code[0] == first && country.code[1] == second) {
      return country.length;
    }
  }
  return 0;
}

// ISO 7064 mod 97-10 over the text with its first four characters moved to the end.
bool fits_mod_97(std::string_view iban) {
  std::uint32_t rest = 0;
  for (std::size_t i = 0; i < iban.size(); ++i) {
    const char c = iban[(i + 4) % iban.size()];
    rest = is_digit(c) ? rest * 10 + static_cast<std::uint32_t>(c - '0')
                       : rest * 100 + static_cast<std::uint32_t>(c - 'A' + 10);
    rest %= 97;
  }
  return rest == 1;
}

/// Between the groups of an IBAN: one sign, or blanks with a line's end where a mail was broken.
std::size_t iban_gap(std::string_view text, std::size_t at) {
  if (at < text.size() && (text[at] == '-' || text[at] == '.')) {
    return 1;
  }
  std::size_t length = 0;
  while (at + length < text.size() && length < 4 &&
         std::strchr(" \t\r\n", text[at + length]) != nullptr && text[at + length] != '\0') {
    ++length;
  }
  return length < 4 ? length : 0;
}

void find_ibans(std::string_view text, std::vector<Finding>& found) {
  for (std::size_t begin = 0; begin + 15 <= text.size(); ++begin) {
    if (!is_letter(text[begin]) || !is_letter(text[begin + 1]) || !is_digit(text[begin + 2]) ||
        !is_digit(text[begin + 3]) || (begin > 0 && is_word(text[begin - 1]))) {
      continue;
    }
    const std::size_t length = iban_length(upper(text[begin]), upper(text[begin + 1]));
    std::array<char, kIbanMax> iban{};
    std::size_t count = 0;
    std::size_t end = begin;
    while (end < text.size() && count < length) {
      if (is_letter(text[end]) || is_digit(text[end])) {
        iban[count++] = upper(text[end++]);
        continue;
      }
      const std::size_t gap = is_word(text[end - 1]) ? iban_gap(text, end) : 0;
      if (gap == 0) {
        break;
      }
      end += gap;
    }
    const bool whole =
        length != 0 && count == length && (end == text.size() || !is_word(text[end]));
    if (whole && fits_mod_97({iban.data(), count})) {
      found.push_back({"iban", begin, end});
    }
  }
}

// UK national insurance number: two letters, six digits in pairs, A to D.
bool is_nino(std::string_view id) {
  constexpr std::array<std::string_view, 7> kUnused = {"BG", "GB", "KN", "NK", "NT", "TN", "ZZ"};
  const std::string_view start = id.substr(0, 2);
  return id.size() == 9 && start.find_first_of("DFIQUV") == std::string_view::npos &&
         start[1] != 'O' && is_letter(start[0]) && is_letter(start[1]) && id[8] >= 'A' &&
         id[8] <= 'D' && std::all_of(id.begin() + 2, id.begin() + 8, is_digit) &&
         std::find(kUnused.begin(), kUnused.end(), start) == kUnused.end();
}

// Spanish DNI (eight digits) and NIE (X, Y or Z and seven digits), with the letter that checks
// them.
bool is_dni(std::string_view id) {
  constexpr std::string_view kLetters = "TRWAGMYFPDXBNJZSQVHLCKE";
  if (id.size() != 9 || !is_letter(id[8])) {
    return false;
  }
  std::uint32_t number = 0;
  for (std::size_t i = 0; i < 8; ++i) {
    const char c =
        i == 0 && id[0] >= 'X' && id[0] <= 'Z' ? static_cast<char>(id[0] - 'X' + '0') : id[i];
    if (!is_digit(c)) {
      return false;
    }
    number = number * 10 + static_cast<std::uint32_t>(c - '0');
  }
  return kLetters[number % 23] == id[8];
}

void find_lettered_ids(std::string_view text, std::vector<Finding>& found) {
  for (std::size_t begin = 0; begin + 9 <= text.size(); ++begin) {
    const bool starts = (is_digit(text[begin]) || is_letter(text[begin])) &&
                        (begin == 0 || !is_word(text[begin - 1]));
    if (!starts) {
      continue;
    }
    std::array<char, 9> id{};
    std::size_t count = 0;
    std::size_t end = begin;
    for (; end < text.size() && count < id.size(); ++end) {
      if (is_letter(text[end]) || is_digit(text[end])) {
        id[count++] = upper(text[end]);
      } else if ((text[end] != ' ' && text[end] != '-') || !is_word(text[end - 1])) {
        break;
      }
    }
    const std::string_view compact(id.data(), count);
    if ((end == text.size() || !is_word(text[end])) && count == 9 &&
        (is_nino(compact) || is_dni(compact))) {
      found.push_back({"national_id", begin, end});
    }
  }
}

}  // namespace

void find_addresses(std::string_view text, std::vector<Finding>& found) {
  find_emails(text, found);
  find_ipv6(text, found);
  if (std::count_if(text.begin(), text.end(), is_digit) >= 6) {
    find_ibans(text, found);
    find_lettered_ids(text, found);
  }
}

}  // namespace aios::govern::detail
