// SPDX-License-Identifier: Apache-2.0
#include "expr/scalar_place.h"

#include <algorithm>

namespace aios::expr {
namespace {

constexpr std::string_view blanks = " \t\r";

bool continues(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

/// The byte of a position; npos when the source has no such line.
std::size_t byte_of(std::string_view source, Position place) {
  std::size_t at = 0;
  for (std::uint32_t line = 1; line < place.line; ++line) {
    at = source.find('\n', at);
    if (at == std::string_view::npos) {
      return at;
    }
    ++at;
  }
  for (std::uint32_t column = 1; column < place.column && at < source.size(); ++column) {
    do {
      ++at;
    } while (at < source.size() && continues(source[at]));
  }
  return at;
}

Position position_of(std::string_view source, std::size_t byte) {
  const std::string_view before = source.substr(0, byte);
  const std::size_t begin = before.rfind('\n') + 1;  // npos + 1 is 0
  const std::string_view line = before.substr(begin);
  const auto characters =
      std::count_if(line.begin(), line.end(), [](char c) { return !continues(c); });
  return {static_cast<std::uint32_t>(1 + std::count(before.begin(), before.end(), '\n')),
          static_cast<std::uint32_t>(1 + characters)};
}

std::size_t skip_blanks(std::string_view source, std::size_t at) {
  return std::min(source.find_first_not_of(blanks, at), source.size());
}

/// Both texts read side by side until `offset` of the scalar's; false: they do not agree.
class Walk {
 public:
  Walk(std::string_view source, std::size_t at, std::string_view text, std::size_t offset)
      : source_(source),
        at_(at),
        text_(text),
        offset_(std::min(offset, text.size())) {}
  std::size_t at() const { return at_; }

  bool run() {
    skip_properties();
    const char first = peek();
    if (first == '|' || first == '>') {
      return block();
    }
    quote_ = first == '"' || first == '\'' ? first : '\0';
    at_ += quote_ == '\0' ? 0 : 1;
    return flow();
  }

 private:
  char peek(std::size_t more = 0) const {
    return at_ + more < source_.size() ? source_[at_ + more] : '\0';
  }

  /// A tag and an anchor stand before the scalar.
  void skip_properties() {
    while (peek() == '!' || peek() == '&') {
      at_ = std::min(source_.find_first_of(" \t\r\n", at_), source_.size());
      at_ = std::min(source_.find_first_not_of(" \t\r\n", at_), source_.size());
    }
  }

  bool flow() {
    while (done_ < offset_) {
      const std::size_t next = skip_blanks(source_, at_);
      if (next < source_.size() && source_[next] == '\n') {
        if (!fold()) {
          return false;
        }
      } else if (quote_ == '"' && peek() == '\\') {
        escape();
      } else if (at_ < source_.size() && peek() == text_[done_]) {
        at_ += quote_ == '\'' && peek() == '\'' ? 2 : 1;
        ++done_;
      } else {
        return false;
      }
    }
    while (quote_ == '"' && peek() == '\\' && (peek(1) == '\n' || peek(1) == '\r')) {
      escape();
    }
    return true;
  }

  /// One line break is a blank; of more, each but the first is a line break.
  bool fold() {
    std::size_t breaks = 0;
    std::size_t next = skip_blanks(source_, at_);
    while (next < source_.size() && source_[next] == '\n') {
      ++breaks;
      next = skip_blanks(source_, next + 1);
    }
    const std::size_t length = breaks == 1 ? 1 : breaks - 1;
    for (std::size_t i = 0; i < length; ++i) {
      if (done_ + i >= text_.size() || text_[done_ + i] != (breaks == 1 ? ' ' : '\n')) {
        return false;
      }
    }
    done_ += length;
    if (done_ <= offset_) {
      at_ = next;
    }
    return true;
  }

  void escape() {
    const char kind = peek(1);
    if (kind == '\n' || kind == '\r') {  // a line goes on without a blank
      at_ = skip_blanks(source_, std::min(source_.find('\n', at_), source_.size() - 1) + 1);
      return;
    }
    at_ += kind == 'x' ? 4 : kind == 'u' ? 6 : kind == 'U' ? 10 : 2;
    do {
      ++done_;
    } while (done_ < text_.size() && continues(text_[done_]));
  }

  std::string_view line() const {
    const std::size_t end = std::min(source_.find('\n', at_), source_.size());
    const std::string_view whole = source_.substr(std::min(at_, end), end - std::min(at_, end));
    return whole.ends_with('\r') ? whole.substr(0, whole.size() - 1) : whole;
  }
  void next_line() {
    const std::size_t end = source_.find('\n', at_);
    at_ = end == std::string_view::npos ? source_.size() : end + 1;
  }
  void skip_empty_lines() {
    while (at_ < source_.size() && line().find_first_not_of(' ') == std::string_view::npos) {
      next_line();
    }
  }

  bool block() {
    next_line();
    skip_empty_lines();
    const std::size_t begin = std::min(text_.find_first_not_of('\n'), text_.size());
    const std::size_t kept = std::min(text_.find_first_not_of(' ', begin), text_.size()) - begin;
    const std::size_t there = std::min(line().find_first_not_of(' '), line().size());
    if (there < kept) {
      return false;
    }
    const std::size_t indent = there - kept;
    done_ = begin;
    while (done_ < offset_ && at_ < source_.size()) {
      const std::string_view content = line().substr(std::min(indent, line().size()));
      at_ += indent;
      const std::size_t wanted = std::min(content.size(), offset_ - done_);
      if (text_.substr(done_, wanted) != content.substr(0, wanted)) {
        return false;
      }
      done_ += wanted;
      at_ += wanted;
      if (done_ >= offset_) {
        return true;
      }
      const std::size_t breaks = std::min(text_.find_first_not_of('\n', done_), text_.size());
      const bool folded = breaks == done_ && text_[done_] == ' ';
      if (breaks == done_ && !folded) {
        return false;
      }
      done_ = folded ? done_ + 1 : breaks;
      if (done_ > offset_) {
        return true;  // inside the line break: its place is the end of the line
      }
      next_line();
      skip_empty_lines();
    }
    at_ += done_ == offset_ && at_ < source_.size() ? indent : 0;
    return done_ >= offset_;
  }

  std::string_view source_;
  std::size_t at_;
  std::string_view text_;
  std::size_t offset_;
  std::size_t done_ = 0;
  char quote_ = '\0';
};

}  // namespace

std::optional<Position> place_in_scalar(std::string_view source, Position start,
                                        std::string_view text, std::size_t offset) {
  const std::size_t begin = start.line == 0 ? std::string_view::npos : byte_of(source, start);
  if (begin == std::string_view::npos || begin >= source.size()) {
    return std::nullopt;
  }
  Walk walk(source, begin, text, offset);
  if (!walk.run()) {
    return std::nullopt;
  }
  return position_of(source, std::min(walk.at(), source.size()));
}

}  // namespace aios::expr
