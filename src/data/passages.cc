// SPDX-License-Identifier: Apache-2.0
#include "core/text.h"
#include "data/article.h"

#include <array>

namespace aios::data {
namespace {

constexpr std::size_t depth_max = 6;

bool is_continuation(char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U; }

/// The offset behind the first `points` code points, or the end.
std::size_t offset_of(std::string_view text, std::size_t points) {
  std::size_t at = 0;
  while (at < text.size()) {
    if (!is_continuation(text[at])) {
      if (points == 0) {
        return at;
      }
      --points;
    }
    ++at;
  }
  return at;
}

/// Where to cut a text that is too long: never 0.
std::size_t cut_of(std::string_view text, std::size_t longest) {
  const std::string_view head = text.substr(0, longest);
  for (const std::string_view mark : {"\n\n", ". ", ".\n", " ", "\n"}) {
    const std::size_t found = head.rfind(mark);
    if (found != head.npos && found > 0) {
      return found + (mark.front() == '.' ? 1 : 0);
    }
  }
  return longest;
}

class Splitter {
 public:
  explicit Splitter(std::string_view file) : file_(file) {}

  void line(std::size_t begin, std::size_t end) {
    const std::string_view text = file_.substr(begin, end - begin);
    if (text.starts_with("```")) {
      fenced_ = !fenced_;
    }
    std::size_t depth = 0;
    while (!fenced_ && depth < text.size() && text[depth] == '#') {
      ++depth;
    }
    if (depth == 0 || depth > depth_max || depth >= text.size() || text[depth] != ' ') {
      return;
    }
    close(begin);
    headings_[depth - 1] = std::string(trim(text.substr(depth)));
    for (std::size_t deeper = depth; deeper < depth_max; ++deeper) {
      headings_[deeper].clear();
    }
    begin_ = end;
  }

  /// Ends the section under way.
  void close(std::size_t end) {
    std::size_t at = begin_;
    while (at < end) {
      const std::string_view rest = file_.substr(at, end - at);
      const std::size_t longest = offset_of(rest, passage_points_max);
      const std::size_t size = longest == rest.size() ? longest : cut_of(rest, longest);
      add(at, size);
      at += size;
      while (at < end && (file_[at] == ' ' || file_[at] == '\n')) {
        ++at;
      }
    }
    begin_ = end;
  }

  void begin(std::size_t at) { begin_ = at; }
  std::vector<Passage> take() { return std::move(passages_); }

 private:
  void add(std::size_t at, std::size_t size) {
    const std::string_view whole = file_.substr(at, size);
    const std::string_view text = trim(whole);
    if (text.empty()) {
      return;
    }
    Passage passage;
    for (const std::string& heading : headings_) {
      if (!heading.empty()) {
        passage.heading += (passage.heading.empty() ? "" : " > ") + heading;
      }
    }
    passage.offset = at + static_cast<std::size_t>(text.data() - whole.data());
    passage.text = std::string(text);
    passages_.push_back(std::move(passage));
  }

  std::string_view file_;
  std::size_t begin_ = 0;
  bool fenced_ = false;
  std::array<std::string, depth_max> headings_;
  std::vector<Passage> passages_;
};

}  // namespace

std::vector<Passage> split_passages(const Article& article) {
  const std::string_view file = article.text;
  Splitter splitter(file);
  splitter.begin(article.body);
  for (std::size_t at = article.body; at < file.size();) {
    const std::size_t newline = file.find('\n', at);
    const std::size_t end = newline == file.npos ? file.size() : newline + 1;
    splitter.line(at, end);
    at = end;
  }
  splitter.close(file.size());
  return splitter.take();
}

}  // namespace aios::data
