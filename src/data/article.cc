// SPDX-License-Identifier: Apache-2.0
#include "data/article.h"

#include "core/context.h"
#include "core/text.h"
#include "expr/yaml.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <utility>

namespace aios::data {
namespace {

constexpr std::size_t title_bytes_max = 200;
constexpr std::size_t id_bytes_max = 64;
constexpr std::size_t intents_max = 50;
constexpr std::array<std::pair<std::string_view, DataLabel>, 4> label_names = {
    {{"personal", DataLabel::personal},
     {"redacted", DataLabel::redacted},
     {"confidential", DataLabel::confidential},
     {"untrusted", DataLabel::untrusted}}};

bool is_id(std::string_view id) {
  return !id.empty() && id.size() <= id_bytes_max && std::all_of(id.begin(), id.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

std::string stem_of(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  const std::string_view name = path.substr(slash == std::string_view::npos ? 0 : slash + 1);
  return std::string(name.substr(0, name.rfind('.')));
}

/// Reads the members of the front matter; what is wrong goes to errors.
class Head {
 public:
  Head(const std::string& path, std::string_view yaml, std::vector<Error>* errors)
      : path_(path),
        yaml_(yaml),
        errors_(errors) {}

  void take(const Json& head, Article* article) {
    for (const auto& member : head.get_object()) {
      const std::string_view key(member.key().data(), member.key().size());
      const Json& value = member.value();
      if (key == "title") {
        article->title = text(key, value, title_bytes_max);
      } else if (key == "id") {
        article->id = text(key, value, id_bytes_max);
      } else if (key == "intents") {
        article->intents = texts(key, value);
      } else if (key == "labels") {
        article->labels = labels(texts(key, value));
      } else if (key == "valid_until") {
        article->valid_until = day(value);
      } else {
        wrong(key, fmt::format("found '{}', wanted title, id, intents, labels or valid_until",
                               excerpt(key, 40)));
      }
    }
    if (article->title.empty()) {
      wrong("title", "the article has no title");
    }
    if (!is_id(article->id)) {
      wrong("id", fmt::format("found the id '{}', wanted 1 to {} of a-z, 0-9 and '-'",
                              excerpt(article->id, 80), id_bytes_max));
    }
  }

  void wrong(std::string_view key, std::string message) {
    errors_->push_back(
        Error(Code::invalid_argument, std::move(message)).page(1601).at(path_, line_of(key), 1));
  }

 private:
  std::string text(std::string_view key, const Json& value, std::size_t bytes_max) {
    if (!value.is_string() || value.get_string().empty() || value.get_string().size() > bytes_max) {
      wrong(key, fmt::format("{} is not a text of 1 to {} bytes", key, bytes_max));
      return "?";
    }
    return std::string(view(value.get_string()));
  }

  std::vector<std::string> texts(std::string_view key, const Json& value) {
    std::vector<std::string> out;
    const bool fits = value.is_array() && value.get_array().size() <= intents_max;
    if (fits) {
      for (const Json& item : value.get_array()) {
        out.push_back(text(key, item, title_bytes_max));
      }
    } else {
      wrong(key, fmt::format("{} is not a list of at most {} texts", key, intents_max));
    }
    return out;
  }

  std::uint32_t labels(const std::vector<std::string>& names) {
    std::uint32_t bits = 0;
    for (const std::string& name : names) {
      const auto* found = std::find_if(label_names.begin(), label_names.end(),
                                       [&](const auto& known) { return known.first == name; });
      if (found == label_names.end()) {
        wrong("labels", fmt::format("found the label '{}', wanted personal, redacted, "
                                    "confidential or untrusted",
                                    excerpt(name, 40)));
      } else {
        bits |= static_cast<std::uint32_t>(found->second);
      }
    }
    return bits;
  }

  std::optional<Time> day(const Json& value) {
    if (value.is_string()) {
      auto end = parse_rfc3339(std::string(view(value.get_string())) + "T23:59:59Z");
      if (end.ok()) {
        return *end;
      }
    }
    wrong("valid_until", "valid_until is not a date such as 2027-01-31");
    return std::nullopt;
  }

  /// The front matter begins in the file's second line.
  std::uint32_t line_of(std::string_view key) const {
    std::uint32_t line = 2;
    if (key.empty()) {
      return 1;
    }
    for (const std::string_view text : split(yaml_, '\n')) {
      if (text.starts_with(key)) {
        return line;
      }
      ++line;
    }
    return 1;
  }

  const std::string& path_;
  std::string_view yaml_;
  std::vector<Error>* errors_;
};

}  // namespace

std::optional<Article> read_article(const std::string& path, std::string_view text,
                                    std::vector<Error>* errors) {
  const std::size_t errors_before = errors->size();
  Article article;
  article.path = path;
  article.id = stem_of(path);
  Head bare(path, "", errors);
  if (text.size() > article_bytes_max) {
    bare.wrong("", fmt::format("the article has {} bytes, wanted at most {}", text.size(),
                               article_bytes_max));
    return std::nullopt;
  }
  if (!is_utf8(text)) {
    bare.wrong("", "the article is not UTF-8");
    return std::nullopt;
  }
  const std::size_t end = text.starts_with("---\n") ? text.find("\n---\n", 3) : text.npos;
  if (end == text.npos) {
    bare.wrong("", "found no front matter, wanted it between two lines '---' at the top");
    return std::nullopt;
  }
  const std::string_view yaml = text.substr(4, end - 3);
  auto parsed = expr::parse_yaml(yaml, path);
  if (!parsed.ok()) {
    Error error = std::move(parsed).error();
    const auto line = error.line() + 1;
    const auto column = error.column();
    errors->push_back(std::move(error).at(path, line, column));
    return std::nullopt;
  }
  if (!parsed->value.is_object()) {
    bare.wrong("", "the front matter is not a mapping");
    return std::nullopt;
  }
  Head(path, yaml, errors).take(parsed->value, &article);
  article.body = end + 5;
  article.text = std::string(text);
  if (split_passages(article).empty()) {
    bare.wrong("", "the article has no text behind its front matter");
  }
  return errors->size() == errors_before ? std::optional<Article>(std::move(article))
                                         : std::nullopt;
}

std::vector<Error> check_ids(const std::vector<Article>& articles) {
  std::vector<Error> errors;
  std::map<std::string_view, const Article*> seen;
  for (const Article& article : articles) {
    const auto [first, fresh] = seen.emplace(article.id, &article);
    if (!fresh) {
      errors.push_back(Error(Code::already_exists, fmt::format("the id '{}' is that of {} too",
                                                               article.id, first->second->path))
                           .page(1602)
                           .at(article.path, 1, 1));
    }
  }
  return errors;
}

}  // namespace aios::data
