// SPDX-License-Identifier: Apache-2.0
#include "data/article.h"

#include "core/context.h"
#include "core/text.h"

#include <doctest/doctest.h>

namespace aios::data {
namespace {

std::optional<Article> read(const std::string& text, std::vector<Error>* errors) {
  return read_article("knowledge/some-thing.md", text, errors);
}

Error only_error(const std::string& text) {
  std::vector<Error> errors;
  CHECK(!read(text, &errors));
  REQUIRE(errors.size() == 1);
  return errors.front();
}

Article article_of(const std::string& body) {
  std::vector<Error> errors;
  auto article = read("---\ntitle: T\n---\n" + body, &errors);
  REQUIRE(errors.empty());
  REQUIRE(article);
  return *article;
}

std::size_t points_of(std::string_view text) {
  std::size_t count = 0;
  for (const char byte : text) {
    count += (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U ? 1 : 0;
  }
  return count;
}

}  // namespace

TEST_CASE("article: front matter and text; without an id the file's name is it") {
  std::vector<Error> errors;
  auto article = read(
      "---\ntitle: How to\nintents: [a, b]\nvalid_until: 2027-01-31\nlabels: [confidential]\n---\n"
      "Text.\n",
      &errors);
  REQUIRE(errors.empty());
  REQUIRE(article);
  CHECK(article->id == "some-thing");
  CHECK(article->title == "How to");
  CHECK(article->intents == std::vector<std::string>{"a", "b"});
  CHECK(to_rfc3339(*article->valid_until).starts_with("2027-01-31T23:59:59"));
  CHECK(article->labels == static_cast<std::uint32_t>(DataLabel::confidential));
  CHECK(article->text.substr(article->body) == "Text.\n");
}

TEST_CASE("article: what is wrong in the front matter is told with its line") {
  CHECK(only_error("no front matter\n").page() == 1601);
  CHECK(only_error("---\nid: a\n---\ntext\n").message() == "the article has no title");
  const Error unknown = only_error("---\ntitle: T\nauthor: me\n---\ntext\n");
  CHECK(unknown.line() == 3);
  CHECK(unknown.file() == "knowledge/some-thing.md");
  CHECK(only_error("---\ntitle: T\nid: Not An Id\n---\ntext\n").line() == 3);
  CHECK(only_error("---\ntitle: T\nvalid_until: soon\n---\ntext\n").line() == 3);
  CHECK(only_error("---\ntitle: T\nlabels: [secret]\n---\ntext\n").line() == 3);
  CHECK(only_error("---\ntitle: T\nintents: a\n---\ntext\n").line() == 3);
  CHECK(only_error("---\ntitle: [\n---\ntext\n").page() == 100);
  CHECK(only_error("---\ntitle: T\n---\n\n").page() == 1601);
  CHECK(only_error("---\ntitle: T\n---\n\xff\n").page() == 1601);
}

TEST_CASE("article: a huge one is refused with its place") {
  const Error error =
      only_error("---\ntitle: T\n---\n" + std::string(article_bytes_max, 'x') + "\n");
  CHECK(error.page() == 1601);
  CHECK(error.file() == "knowledge/some-thing.md");
  CHECK(error.line() == 1);
}

TEST_CASE("article: the second of two with one id is named") {
  std::vector<Article> two(2, article_of("text\n"));
  two[1].path = "knowledge/other.md";
  auto errors = check_ids(two);
  REQUIRE(errors.size() == 1);
  CHECK(errors.front().page() == 1602);
  CHECK(errors.front().file() == "knowledge/other.md");
}

TEST_CASE("passages: headings nest, code is no heading, offsets lead back to the text") {
  const Article article = article_of(
      "Intro.\n\n## A\nOne.\n### B\nTwo.\n```\n# no heading\n```\n## C\nThree.\n#hash\n");
  const auto passages = split_passages(article);
  REQUIRE(passages.size() == 4);
  CHECK(passages[0].heading.empty());
  CHECK(passages[1].heading == "A");
  CHECK(passages[2].heading == "A > B");
  CHECK(passages[2].text == "Two.\n```\n# no heading\n```");
  CHECK(passages[3].heading == "C");
  CHECK(passages[3].text == "Three.\n#hash");
  for (const Passage& passage : passages) {
    CHECK(article.text.substr(passage.offset, passage.text.size()) == passage.text);
  }
}

TEST_CASE("passages: none is longer than the limit, nothing is lost, no code point is cut") {
  std::string body;
  for (int i = 0; i < 400; ++i) {
    body += "Größe und Maß. ";
  }
  body += "\n\n";
  for (int i = 0; i < 2'000; ++i) {
    body += "汉";
  }
  const Article article = article_of(body);
  const auto passages = split_passages(article);
  CHECK(passages.size() >= 7);
  std::size_t points = 0;
  for (const Passage& passage : passages) {
    CHECK(points_of(passage.text) <= passage_points_max);
    CHECK(is_utf8(passage.text));
    for (const char byte : passage.text) {
      points += byte != ' ' && (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U ? 1 : 0;
    }
  }
  CHECK(points == 400 * 12 + 2'000);
}

}  // namespace aios::data
