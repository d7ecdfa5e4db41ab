// SPDX-License-Identifier: Apache-2.0
// "intent=refund and amount>50" as a person writes it.
#include "workflow/attribute.h"

#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace aios::workflow {
namespace {

constexpr std::size_t where_bytes_max = 4'096;
constexpr std::size_t told_max = 60;

constexpr std::array signs = {
    std::pair(std::string_view("!="), Comparison::differs),
    std::pair(std::string_view("<="), Comparison::at_most),
    std::pair(std::string_view(">="), Comparison::at_least),
    std::pair(std::string_view("="), Comparison::equal),
    std::pair(std::string_view("<"), Comparison::less),
    std::pair(std::string_view(">"), Comparison::greater),
};

/// A condition whose value is still a text.
struct Written {
  std::string name;
  Comparison comparison = Comparison::equal;
  std::string sign;
  std::string value;
};

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  Result<std::vector<Written>> read() {
    if (text_.size() > where_bytes_max) {
      return Error(Code::invalid_argument,
                   fmt::format("the condition has {} bytes, at most {} are read", text_.size(),
                               where_bytes_max))
          .page(1074);
    }
    std::vector<Written> out;
    for (;;) {
      auto one = condition();
      if (!one.ok()) {
        return std::move(one).error();
      }
      out.push_back(std::move(*one));
      spaces();
      if (at_ == text_.size()) {
        break;
      }
      const std::size_t before = at_;
      if (ascii_lower(name()) != "and" || at_ == text_.size() || !is_space(text_[at_])) {
        at_ = before;
        return wrong("'and' or the end");
      }
    }
    if (out.size() > conditions_max) {
      return Error(Code::invalid_argument, fmt::format("found {} conditions, at most {} are taken",
                                                       out.size(), conditions_max))
          .page(1074);
    }
    return out;
  }

 private:
  void spaces() {
    while (at_ < text_.size() && is_space(text_[at_])) {
      ++at_;
    }
  }
  std::string name() {
    const std::size_t begin = at_;
    const auto part = [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
             c == '_' || c == '-';
    };
    while (at_ < text_.size() && part(text_[at_])) {
      ++at_;
    }
    return std::string(text_.substr(begin, at_ - begin));
  }
  Error wrong(std::string_view wanted) const {
    const auto found = at_ < text_.size()
                           ? fmt::format("'{}'", excerpt(text_.substr(at_), told_max))
                           : std::string("the end");
    return Error(Code::invalid_argument,
                 fmt::format("at character {} of the condition: found {}, wanted {}; the form is "
                             "NAME=VALUE and NAME>VALUE",
                             at_ + 1, found, wanted))
        .page(1070);
  }
  Result<Written> condition() {
    Written out;
    spaces();
    const std::size_t begin = at_;
    out.name = name();
    if (!is_attribute_name(out.name)) {
      at_ = begin;
      return wrong("the name of a search attribute");
    }
    spaces();
    const auto rest = text_.substr(at_);
    const auto found = std::find_if(signs.begin(), signs.end(), [rest](const auto& one) {
      return rest.starts_with(one.first);
    });
    if (found == signs.end()) {
      return wrong("one of = != < <= > >=");
    }
    out.sign = found->first;
    out.comparison = found->second;
    at_ += out.sign.size();
    spaces();
    auto value = literal();
    if (!value.ok()) {
      return std::move(value).error();
    }
    out.value = std::move(*value);
    return out;
  }
  Result<std::string> literal() {
    if (at_ == text_.size()) {
      return wrong("a value");
    }
    const char quote = text_[at_];
    if (quote != '\'' && quote != '"') {
      const std::size_t begin = at_;
      while (at_ < text_.size() && !is_space(text_[at_]) &&
             std::string_view("=!<>'\"").find(text_[at_]) == std::string_view::npos) {
        ++at_;
      }
      if (at_ == begin) {
        return wrong("a value");
      }
      return std::string(text_.substr(begin, at_ - begin));
    }
    std::string out;
    for (std::size_t at = at_ + 1; at < text_.size(); ++at) {
      if (text_[at] != quote) {
        out += text_[at];
      } else if (at + 1 < text_.size() && text_[at + 1] == quote) {
        out += text_[at++];  // twice: the character itself
      } else {
        at_ = at + 1;
        return out;
      }
    }
    return wrong(fmt::format("a text that ends with {}", quote));
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

Result<AttributeType> type_of(const std::string& name, const std::vector<AttributeInfo>& declared) {
  std::optional<AttributeType> found;
  std::vector<std::string> names;
  for (const auto& one : declared) {
    names.push_back(one.name);
    if (one.name != name) {
      continue;
    }
    if (found && *found != one.type) {
      return Error(
                 Code::invalid_argument,
                 fmt::format("'{}' is a {} in one workflow and a {} in another: name the workflow",
                             name, name_of(*found), name_of(one.type)))
          .page(1072);
    }
    found = one.type;
  }
  if (found) {
    return *found;
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return Error(
             Code::invalid_argument,
             names.empty()
                 ? fmt::format("no workflow declares search attributes, so there is no '{}'", name)
                 : fmt::format("no workflow has the search attribute '{}'{}", name,
                               hint(name, names)))
      .page(1071);
}

Json json_of(AttributeType type, const std::string& text) {
  if (type == AttributeType::boolean) {
    return text == "true" ? Json(true) : text == "false" ? Json(false) : Json();
  }
  if (type != AttributeType::number) {
    return Json(text);
  }
  double number = 0;
  const char* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, number);
  return read.ec == std::errc() && read.ptr == end ? Json(number) : Json();
}

std::string_view form_of(AttributeType type) {
  switch (type) {
    case AttributeType::text: return "a text that is not empty";
    case AttributeType::number: return "a number such as 50 or -1.5";
    case AttributeType::boolean: return "true or false";
    case AttributeType::time: break;
  }
  return "a time such as 2026-11-21T14:00:00Z";
}

Result<Condition> typed(Written written, const std::vector<AttributeInfo>& declared) {
  auto type = type_of(written.name, declared);
  if (!type.ok()) {
    return std::move(type).error();
  }
  const bool ordered = *type == AttributeType::number || *type == AttributeType::time;
  if (!ordered && written.comparison != Comparison::equal &&
      written.comparison != Comparison::differs) {
    return Error(Code::invalid_argument, fmt::format("'{}' is a {}, which is compared by = and !=, "
                                                     "not by {}",
                                                     written.name, name_of(*type), written.sign))
        .page(1073);
  }
  auto value = attribute_value(*type, json_of(*type, written.value));
  if (!value || !is_utf8(written.value)) {
    return Error(Code::invalid_argument,
                 fmt::format("'{}' is a {}: found '{}', wanted {}", written.name, name_of(*type),
                             excerpt(written.value, told_max), form_of(*type)))
        .page(1073);
  }
  return Condition{std::move(written.name), written.comparison, *type, std::move(*value)};
}

}  // namespace

Result<std::vector<Condition>> read_conditions(std::string_view where,
                                               const std::vector<AttributeInfo>& declared) {
  std::vector<Condition> out;
  if (trim(where).empty()) {
    return out;
  }
  auto written = Reader(where).read();
  if (!written.ok()) {
    return std::move(written).error();
  }
  for (Written& one : *written) {
    auto condition = typed(std::move(one), declared);
    if (!condition.ok()) {
      return std::move(condition).error();
    }
    out.push_back(std::move(*condition));
  }
  return out;
}

}  // namespace aios::workflow
