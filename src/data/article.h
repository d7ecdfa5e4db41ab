// SPDX-License-Identifier: Apache-2.0
#pragma once
// data/article: a knowledge article, knowledge/*.md of a bundle: YAML front matter between two
// lines `---`, then Markdown. Front matter: title; optional id (default: the file's name), intents
// (labels of a model that it answers), valid_until (a date, the last day in UTC), labels (of the
// data: personal, redacted, confidential, untrusted).

#include "core/result.h"
#include "core/time.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aios::data {

inline constexpr std::size_t article_bytes_max = std::size_t{256} << 10;
inline constexpr std::size_t passage_points_max = 1'200;

struct Article {
  std::string id;  ///< 1 to 64 of [a-z0-9-]
  std::string title;
  std::vector<std::string> intents;
  std::optional<Time> valid_until;
  std::uint32_t labels = 0;  ///< DataLabel bits
  std::string path;
  std::string text;      ///< the whole file
  std::size_t body = 0;  ///< offset in `text` behind the front matter
};

/// Adds every problem to `errors` [AIOS-1601], with file and line; nullopt then.
std::optional<Article> read_article(const std::string& path, std::string_view text,
                                    std::vector<Error>* errors);
/// Ids that two articles share: one error each [AIOS-1602], at the second file.
std::vector<Error> check_ids(const std::vector<Article>& articles);

/// A part of an article under one heading, at most passage_points_max code points.
struct Passage {
  std::string heading;  ///< of its section and those around it, "A > B"; empty before the first
  std::string text;
  std::size_t offset = 0;  ///< of the text in the article's file, in bytes
};
/// Cut at paragraphs, else at sentences, else at blanks, else between two code points.
std::vector<Passage> split_passages(const Article& article);

}  // namespace aios::data
