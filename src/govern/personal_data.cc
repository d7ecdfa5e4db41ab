// SPDX-License-Identifier: Apache-2.0
#include "govern/personal_data.h"

#include "core/text.h"
#include "govern/detail/personal.h"
#include "govern/detail/phone_members.h"
#include "govern/redaction.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

namespace aios::govern {
namespace {

using detail::Under;

/// Masking changes what stands around a text, so it may show something new: then again, this often.
constexpr int rounds_max = 3;
constexpr std::size_t mark_digits_max = 9;
constexpr std::size_t phone_digits_min = 7;
constexpr std::size_t phone_digits_max = 15;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// The digits of a whole number, its sign aside; nothing for another one. One that is held as a
/// double is printed with an exponent, but reads as the same number.
std::optional<std::string> digits_of(const Json& value) {
  constexpr double whole_max = 1e19;
  if (value.is_int64()) {
    const std::int64_t number = value.get_int64();
    const auto bits = static_cast<std::uint64_t>(number);
    return fmt::format("{}", number < 0 ? std::uint64_t{0} - bits : bits);
  }
  if (value.is_uint64()) {
    return fmt::format("{}", value.get_uint64());
  }
  if (value.is_double()) {
    const double number = value.get_double() < 0 ? -value.get_double() : value.get_double();
    if (number < whole_max && static_cast<double>(static_cast<std::uint64_t>(number)) == number) {
      return fmt::format("{}", static_cast<std::uint64_t>(number));
    }
  }
  return std::nullopt;
}

/// The kind of a whole number, empty for none.
std::string kind_of(std::string_view digits, Under under) {
  if (under == Under::phone && digits.size() >= phone_digits_min &&
      digits.size() <= phone_digits_max) {
    return "phone";
  }
  const std::vector<Finding> findings = find_personal_data(digits);
  if (findings.size() != 1 || findings[0].end - findings[0].begin != digits.size()) {
    return {};
  }
  const std::string& kind = findings[0].kind;
  return kind == "national_id" || (kind == "card" && detail::is_issued(digits)) ? kind
                                                                                : std::string();
}

std::vector<Finding> findings_in(std::string_view text, Under under) {
  if (under == Under::anything) {
    return find_personal_data(text);
  }
  // The member's name is the word before the digits that they lack.
  constexpr std::string_view before = "phone: ";
  std::vector<Finding> findings = find_personal_data(std::string(before).append(text));
  std::erase_if(findings, [&](const Finding& finding) { return finding.begin < before.size(); });
  for (Finding& finding : findings) {
    finding.begin -= before.size();
    finding.end -= before.size();
  }
  return findings;
}

class Looker {
 public:
  explicit Looker(const PersonalBounds& bounds) : bounds_(bounds) {}

  Result<void> value(const Json& json, Under under, std::size_t depth) {
    if (depth > bounds_.depth_max) {
      return Error(Code::invalid_argument,
                   fmt::format("found more than {} levels of arrays and objects to look through "
                               "for personal data, wanted fewer",
                               bounds_.depth_max))
          .page(516);
    }
    if (json.is_string()) {
      return text(view(json.get_string()), under);
    }
    if (json.is_array()) {
      for (const Json& item : json.get_array()) {
        auto looked = value(item, under, depth + 1);
        if (!looked.ok()) {
          return looked;
        }
      }
    } else if (json.is_object()) {
      return object(json.get_object(), under, depth);
    } else if (const auto digits = digits_of(json)) {
      std::string kind = kind_of(*digits, under);
      if (!kind.empty()) {
        data_.found.emplace(std::move(kind), *digits);
      }
    }
    return {};
  }
  PersonalData take() { return std::move(data_); }

 private:
  Result<void> object(const JsonObject& object, Under under, std::size_t depth) {
    for (const auto& member : object) {
      const std::string_view name(member.key().data(), member.key().size());
      auto looked = text(name, Under::anything);
      if (looked.ok()) {
        looked = value(member.value(), detail::under_member(name, under), depth + 1);
      }
      if (!looked.ok()) {
        return looked;
      }
    }
    return {};
  }

  Result<void> text(std::string_view text, Under under) {
    bytes_ += text.size();
    if (bytes_ > bounds_.bytes_max) {
      return Error(Code::invalid_argument,
                   fmt::format("found more than {} bytes of text to look through for personal "
                               "data, wanted less",
                               bounds_.bytes_max))
          .page(516);
    }
    for (const char c : text) {
      data_.characters += (static_cast<unsigned char>(c) & 0xC0U) != 0x80U ? 1 : 0;
    }
    for (Finding& finding : findings_in(text, under)) {
      data_.found.emplace(std::move(finding.kind),
                          std::string(text.substr(finding.begin, finding.end - finding.begin)));
    }
    return {};
  }

  const PersonalBounds& bounds_;
  PersonalData data_;
  std::size_t bytes_ = 0;
};

std::string mark_word(std::string_view kind) {
  std::string word(kind);
  std::transform(word.begin(), word.end(), word.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return word;
}

struct Mark {
  std::string_view word;
  std::size_t number = 0;
};

/// "[EMAIL_12]" at the beginning of the text.
std::optional<Mark> mark_at(std::string_view text) {
  if (!text.starts_with('[')) {
    return std::nullopt;
  }
  std::size_t at = 1;
  while (at < text.size() && ((text[at] >= 'A' && text[at] <= 'Z') || text[at] == '_')) {
    ++at;
  }
  Mark mark{text.substr(1, at - 1)};
  const std::size_t first = at;
  while (at < text.size() && is_digit(text[at]) && at - first < mark_digits_max) {
    mark.number = mark.number * 10 + static_cast<std::size_t>(text[at] - '0');
    ++at;
  }
  if (at == first || at == text.size() || text[at] != ']' || mark.word.size() < 2 ||
      !mark.word.ends_with('_')) {
    return std::nullopt;
  }
  mark.word.remove_suffix(1);
  return mark;
}

/// Depth is bounded by who looked first.
class Masker {
 public:
  /// Marks that the value already holds stand for something else than ours will.
  void note_marks(const Json& value) {
    if (value.is_string()) {
      note_marks_in(view(value.get_string()));
    } else if (value.is_array()) {
      for (const Json& item : value.get_array()) {
        note_marks(item);
      }
    } else if (value.is_object()) {
      for (const auto& member : value.get_object()) {
        note_marks_in({member.key().data(), member.key().size()});
        note_marks(member.value());
      }
    }
  }

  void mask(Json* value, Under under) {
    if (value->is_string()) {
      *value = masked(view(value->get_string()), under);
    } else if (value->is_array()) {
      for (Json& item : value->get_array()) {
        mask(&item, under);
      }
    } else if (value->is_object()) {
      JsonObject out;
      for (auto& member : value->get_object()) {
        const std::string_view name(member.key().data(), member.key().size());
        mask(&member.value(), detail::under_member(name, under));
        // Names that differ have marks that differ: none takes another's place.
        out.emplace(masked(name, Under::anything), std::move(member.value()));
      }
      *value = std::move(out);
    } else if (const auto digits = digits_of(*value)) {
      const std::string kind = kind_of(*digits, under);
      if (!kind.empty()) {
        *value = mark_of(kind, *digits);
      }
    }
  }

 private:
  void note_marks_in(std::string_view text) {
    for (std::size_t at = text.find('['); at != std::string_view::npos;
         at = text.find('[', at + 1)) {
      if (const auto mark = mark_at(text.substr(at))) {
        std::size_t& last = last_[std::string(mark->word)];
        last = std::max(last, mark->number);
      }
    }
  }

  std::string masked(std::string_view text, Under under) {
    std::string out;
    std::size_t at = 0;
    for (const Finding& finding : findings_in(text, under)) {
      out.append(text.substr(at, finding.begin - at));
      out += mark_of(finding.kind, text.substr(finding.begin, finding.end - finding.begin));
      at = finding.end;
    }
    out.append(text.substr(at));
    return out;
  }

  const std::string& mark_of(const std::string& kind, std::string_view value) {
    std::string& mark = marks_[{kind, std::string(value)}];
    if (mark.empty()) {
      const std::string word = mark_word(kind);
      mark = fmt::format("[{}_{}]", word, ++last_[word]);
    }
    return mark;
  }

  std::map<std::pair<std::string, std::string>, std::string> marks_;
  std::map<std::string, std::size_t> last_;
};

}  // namespace

std::vector<std::string> PersonalData::kinds() const {
  std::vector<std::string> out;
  for (const auto& [kind, value] : found) {
    if (out.empty() || out.back() != kind) {
      out.push_back(kind);
    }
  }
  return out;
}

Result<PersonalData> find_personal_data_in(const Json& value, const PersonalBounds& bounds) {
  Looker looker(bounds);
  auto looked = looker.value(value, Under::anything, 0);
  if (!looked.ok()) {
    return std::move(looked).error();
  }
  return looker.take();
}

Result<void> mask_personal_data(Json* value, const PersonalBounds& bounds) {
  Masker masker;
  for (int round = 0;; ++round) {
    auto looked = find_personal_data_in(*value, bounds);
    if (!looked.ok()) {
      return std::move(looked).error();
    }
    if (looked->found.empty()) {
      return {};
    }
    if (round == rounds_max) {
      return Error(Code::policy_denied,
                   fmt::format("personal data ({}) is still found after masking",
                               join(looked->kinds(), ", ")))
          .page(517);
    }
    if (round == 0) {
      masker.note_marks(*value);
    }
    masker.mask(value, Under::anything);
  }
}

bool holds_mark(std::string_view text) {
  for (std::size_t at = text.find('['); at != std::string_view::npos; at = text.find('[', at + 1)) {
    if (mark_at(text.substr(at))) {
      return true;
    }
  }
  return false;
}

}  // namespace aios::govern
