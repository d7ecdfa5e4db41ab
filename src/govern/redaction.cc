// SPDX-License-Identifier: Apache-2.0
#include "govern/redaction.h"

#include "core/text.h"
#include "govern/detail/folded.h"
#include "govern/detail/personal.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

namespace aios::govern {
namespace {

// Where two findings are equally long, the one whose check says more wins.
std::size_t rank_of(std::string_view kind) {
  constexpr std::array<std::string_view, 8> kKinds = {
      "email", "iban", "card", "ip", "name", "national_id", "birth_date", "phone"};
  return static_cast<std::size_t>(std::find(kKinds.begin(), kKinds.end(), kind) - kKinds.begin());
}

std::string mark_word(std::string_view kind) {
  std::string word(kind);
  std::transform(word.begin(), word.end(), word.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return word;
}

std::vector<Finding> find_in(std::string_view text) {
  std::vector<Finding> found;
  detail::find_addresses(text, found);
  detail::find_numbers(text, found);
  detail::find_cards(text, found);
  if (is_utf8(text)) {
    detail::find_by_words(text, found);
  }
  std::sort(found.begin(), found.end(), [](const Finding& a, const Finding& b) {
    const std::size_t a_size = a.end - a.begin;
    const std::size_t b_size = b.end - b.begin;
    if (a_size != b_size) {
      return a_size > b_size;
    }
    return a.begin != b.begin ? a.begin < b.begin : rank_of(a.kind) < rank_of(b.kind);
  });
  std::map<std::size_t, Finding> kept;  // by begin
  for (Finding& finding : found) {
    const auto after = kept.lower_bound(finding.begin);
    const bool free_after = after == kept.end() || after->first >= finding.end;
    const bool free_before = after == kept.begin() || std::prev(after)->second.end <= finding.begin;
    if (free_after && free_before) {
      kept.emplace(finding.begin, std::move(finding));
    }
  }
  std::vector<Finding> ordered;
  ordered.reserve(kept.size());
  for (auto& [begin, finding] : kept) {
    ordered.push_back(std::move(finding));
  }
  return ordered;
}

}  // namespace

std::vector<Finding> find_personal_data(std::string_view text) {
  const detail::Folded seen = detail::folded(text);
  if (seen.text.empty()) {
    return find_in(text);
  }
  std::vector<Finding> found = find_in(seen.text);
  for (Finding& finding : found) {
    finding.begin = seen.begins[finding.begin];
    finding.end = seen.ends[finding.end - 1];
  }
  return found;
}

Redacted redact(std::string_view text) {
  Redacted redacted;
  redacted.findings = find_personal_data(text);
  std::map<std::pair<std::string_view, std::string_view>, std::size_t> numbers;
  std::map<std::string_view, std::size_t> last;
  std::size_t at = 0;
  for (const Finding& finding : redacted.findings) {
    const std::string_view value = text.substr(finding.begin, finding.end - finding.begin);
    std::size_t& number = numbers[{finding.kind, value}];
    if (number == 0) {
      number = ++last[finding.kind];
    }
    redacted.text.append(text.substr(at, finding.begin - at));
    redacted.text += fmt::format("[{}_{}]", mark_word(finding.kind), number);
    at = finding.end;
  }
  redacted.text.append(text.substr(at));
  return redacted;
}

}  // namespace aios::govern
