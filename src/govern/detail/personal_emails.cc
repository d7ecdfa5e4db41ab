// SPDX-License-Identifier: Apache-2.0
#include "govern/detail/personal.h"

#include "core/result.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace aios::govern::detail {
namespace {

constexpr std::size_t local_max = 64;
constexpr std::size_t domain_max = 253;
/// With blanks around its sign a shorter word is more often none: "us @ example.com".
constexpr std::size_t spaced_local_min = 3;

bool in_local(char c) { return is_word(c) || (std::strchr("._%+-'", c) != nullptr && c != '\0'); }
bool in_domain(char c) { return is_word(c) || c == '.' || c == '-'; }

void find_plain(std::string_view text, std::vector<Finding>& found) {
  for (std::size_t at = text.find('@'); at != std::string_view::npos; at = text.find('@', at + 1)) {
    std::size_t begin = at;
    while (begin > 0 && at - begin < local_max && in_local(text[begin - 1])) {
      --begin;
    }
    while (begin < at && !is_word(text[begin])) {
      ++begin;
    }
    std::size_t end = at + 1;
    while (end < text.size() && end - at <= domain_max && in_domain(text[end])) {
      ++end;
    }
    while (end > at + 1 && !is_word(text[end - 1])) {
      --end;
    }
    const std::string_view domain = text.substr(at + 1, end - at - 1);
    const std::size_t dot = domain.rfind('.');
    const bool named = dot != std::string_view::npos && dot > 0 && domain.size() - dot > 2 &&
                       !is_digit(domain.back()) && domain.find("..") == std::string_view::npos;
    if (begin < at && named) {
      found.push_back({"email", begin, end});
    }
  }
}

// What people and programs write for the sign and for the dot. "at" and "dot" stand in brackets:
// bare, they are words of any sentence. Bytes, not characters: a text need not be UTF-8.
constexpr std::string_view at_pattern =
    R"((?:[ ]{0,2}[\[({<][ ]?(?:(?i:at)|\xc3[\xa4\x84](?i:t)|@)[ ]?[\])}>][ ]{0,2}|)"
    R"([ ]{0,2}&(?:#0{0,5}64|#[xX]0{0,4}40|commat);[ ]{0,2}|%(?:25){0,2}40|\\u0040|)"
    R"([ ]{1,2}@[ ]{0,2}|@[ ]{1,2}))";
constexpr std::string_view dot_pattern =
    R"((?:\.|[ ]{0,2}[\[({<][ ]?(?:(?i:dot|punkt|point|punto)|\.)[ ]?[\])}>][ ]{0,2}|)"
    R"(&(?:#0{0,5}46|#[xX]0{0,4}2[eE]|period);|%(?:25){0,2}2[eE]))";
constexpr std::string_view letter = R"(A-Za-z0-9\x80-\xff)";

std::string written_pattern() {
  return fmt::format(R"(([{2}](?:[{2}_+%'-]|{1}[{2}])*)({0})([{2}](?:[{2}-]|{1}[{2}])*{1})"
                     R"(([A-Za-z]{{2,24}}|(?i:xn--)[A-Za-z0-9-]{{2,59}}))(?:$|[^{2}_]))",
                     at_pattern, dot_pattern, letter);
}

// Compiled once, at first use; never destroyed, so that threads may use it to the end.
const RE2& written() {
  static const RE2* const compiled = [] {
    RE2::Options options;
    options.set_encoding(RE2::Options::EncodingLatin1);
    options.set_max_mem(std::int64_t{16} << 20);
    options.set_log_errors(false);
    const auto* const pattern = new RE2(written_pattern(), options);
    AIOS_ASSERT(pattern->ok());
    return pattern;
  }();
  return *compiled;
}

bool holds_letter(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) { return is_word(c) && !is_digit(c); });
}

/// An address with blanks around its sign, and not "items @ St.Pauli", "5 @ 12.50", "@ 9.am" or
/// "thanks @example.com".
bool is_likely_spaced(std::string_view local, bool blank_behind, std::string_view domain,
                      std::string_view top) {
  const auto none = [top](char first, char last) {
    return std::none_of(top.begin(), top.end(),
                        [first, last](char c) { return c >= first && c <= last; });
  };
  const bool telling = local.find_first_of("._+-0123456789") != std::string_view::npos;
  return local.size() >= spaced_local_min && holds_letter(local) && (blank_behind || telling) &&
         (none('A', 'Z') || none('a', 'z')) && holds_letter(domain.substr(0, domain.find('.')));
}

/// Whether a text may hold one at all: most hold none of these signs.
bool may_be_written(std::string_view text) {
  return text.find("%") != std::string_view::npos || text.find('&') != std::string_view::npos ||
         text.find("\\u0040") != std::string_view::npos ||
         text.find("@ ") != std::string_view::npos || text.find(" @") != std::string_view::npos ||
         text.find_first_of("[({<") != std::string_view::npos;
}

void find_written(std::string_view text, std::vector<Finding>& found) {
  if (!may_be_written(text)) {
    return;
  }
  const re2::StringPiece all(text.data(), text.size());
  re2::StringPiece part[5];
  std::size_t from = 0;
  while (from < all.size() && written().Match(all, from, all.size(), RE2::UNANCHORED, part, 5)) {
    const auto begin = static_cast<std::size_t>(part[1].data() - text.data());
    const auto end = static_cast<std::size_t>(part[3].data() - text.data()) + part[3].size();
    from = end;
    const std::string_view local(part[1].data(), part[1].size());
    const std::string_view sign(part[2].data(), part[2].size());
    const std::string_view domain(part[3].data(), part[3].size());
    const std::string_view top(part[4].data(), part[4].size());
    const bool spaced = sign.find('@') != std::string_view::npos &&
                        sign.find_first_of("[({<") == std::string_view::npos;
    if (local.size() <= 4 * local_max && domain.size() <= 4 * domain_max &&
        (!spaced || is_likely_spaced(local, sign.ends_with(' '), domain, top))) {
      found.push_back({"email", begin, end});
    }
  }
}

}  // namespace

void find_emails(std::string_view text, std::vector<Finding>& found) {
  find_plain(text, found);
  find_written(text, found);
}

}  // namespace aios::govern::detail
