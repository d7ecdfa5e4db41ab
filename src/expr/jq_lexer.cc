// SPDX-License-Identifier: Apache-2.0
#include "expr/detail/jq_lexer.h"

#include "core/text.h"
#include "expr/detail/jq_print.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace aios::expr::detail {
namespace {

constexpr std::array<std::string_view, 19> keywords = {
    "def",   "as",    "if",     "then",    "elif",   "else", "end", "reduce",  "foreach", "try",
    "catch", "label", "import", "include", "module", "and",  "or",  "__loc__", "break"};

// Longest first.
constexpr std::array<std::string_view, 36> symbols = {
    "?//", "//=", "|=", "+=", "-=", "*=", "/=", "%=", "==", "!=", "<=", ">=",
    "//",  "..",  ".",  "[",  "]",  "(",  ")",  "{",  "}",  "|",  ",",  ":",
    ";",   "=",   "<",  ">",  "+",  "-",  "*",  "/",  "%",  "?",  "$",  "@"};

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool starts_name(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool in_name(char c) { return starts_name(c) || is_digit(c); }

}  // namespace

Error Lexer::wrong(std::string message, std::size_t at) const {
  std::uint32_t line = 1;
  std::uint32_t column = 1;
  for (char c : text_.substr(0, std::min(at, text_.size()))) {
    if (c == '\n') {
      ++line;
      column = 1;
    } else {
      column += (static_cast<unsigned char>(c) & 0xC0) == 0x80 ? 0 : 1;
    }
  }
  return Error(Code::invalid_argument, std::move(message)).page(107).at("", line, column);
}

std::uint32_t Lexer::line_of(std::size_t at) const {
  auto before = text_.substr(0, at);
  return static_cast<std::uint32_t>(1 + std::count(before.begin(), before.end(), '\n'));
}

void Lexer::skip_blanks() {
  while (at_ < text_.size()) {
    char c = text_[at_];
    if (c == '#') {
      // A comment goes on over a line end that an odd number of backslashes precedes.
      std::size_t backslashes = 0;
      for (; at_ < text_.size(); ++at_) {
        if (text_[at_] == '\n' && backslashes % 2 == 0) {
          break;
        }
        bool return_first = text_[at_] == '\r' && at_ + 1 < text_.size() && text_[at_ + 1] == '\n';
        if (!return_first) {
          backslashes = text_[at_] == '\\' ? backslashes + 1 : 0;
        }
      }
    } else if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
      ++at_;
    } else {
      return;
    }
  }
}

Token Lexer::name(Word word, std::size_t start, std::size_t skip) {
  at_ = start + skip;
  auto first = at_;
  while (at_ < text_.size() && in_name(text_[at_])) {
    ++at_;
  }
  // A name may be qualified: "module::name".
  while (word != Word::field && text_.substr(at_).starts_with("::") && at_ + 2 < text_.size() &&
         starts_name(text_[at_ + 2])) {
    at_ += 2;
    while (at_ < text_.size() && in_name(text_[at_])) {
      ++at_;
    }
  }
  return {word, text_.substr(first, at_ - first), start};
}

Result<Token> Lexer::number() {
  auto start = at_;
  while (at_ < text_.size() && is_digit(text_[at_])) {
    ++at_;
  }
  if (at_ < text_.size() && text_[at_] == '.') {
    ++at_;
    while (at_ < text_.size() && is_digit(text_[at_])) {
      ++at_;
    }
  }
  if (at_ < text_.size() && (text_[at_] == 'e' || text_[at_] == 'E')) {
    auto digits = at_ + 1;
    if (digits < text_.size() && (text_[digits] == '+' || text_[digits] == '-')) {
      ++digits;
    }
    if (digits < text_.size() && is_digit(text_[digits])) {
      at_ = digits;
      while (at_ < text_.size() && is_digit(text_[at_])) {
        ++at_;
      }
    }
  }
  return Token{Word::number, text_.substr(start, at_ - start), start};
}

Result<Token> Lexer::next() {
  skip_blanks();
  auto start = at_;
  if (at_ == text_.size()) {
    return Token{Word::end, "", start};
  }
  char c = text_[at_];
  char after = at_ + 1 < text_.size() ? text_[at_ + 1] : '\0';
  if (is_digit(c) || (c == '.' && is_digit(after))) {
    return number();
  }
  if (starts_name(c)) {
    auto token = name(Word::name, start, 0);
    if (std::find(keywords.begin(), keywords.end(), token.text) != keywords.end()) {
      token.word = Word::keyword;
    }
    return token;
  }
  if (c == '.' && starts_name(after)) {
    return name(Word::field, start, 1);
  }
  if (c == '$' && starts_name(after)) {
    return name(Word::variable, start, 1);
  }
  if (c == '@' && in_name(after)) {
    return name(Word::format, start, 1);
  }
  if (c == '"') {
    ++at_;
    return Token{Word::quote, text_.substr(start, 1), start};
  }
  for (auto symbol : symbols) {
    if (text_.substr(at_).starts_with(symbol)) {
      at_ += symbol.size();
      return Token{Word::symbol, symbol, start};
    }
  }
  return wrong(
      fmt::format("found '{}', which means nothing here", excerpt(text_.substr(at_, 4), 1)), start);
}

Result<char32_t> Lexer::hex_escape() {
  auto digits = text_.substr(at_, 4);
  std::uint32_t unit = 0;
  auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), unit, 16);
  if (digits.size() != 4 || code != std::errc() || end != digits.data() + 4) {
    return wrong("found an escape that is not \\u and four hexadecimal digits", at_);
  }
  at_ += 4;
  return static_cast<char32_t>(unit);
}

/// After a backslash; false when code follows.
Result<bool> Lexer::escape(std::string& text) {
  constexpr std::string_view plain = "\"\\/bfnrt";
  constexpr std::string_view meaning = "\"\\/\b\f\n\r\t";
  char c = at_ < text_.size() ? text_[at_] : '\0';
  ++at_;
  if (c == '(') {
    return false;
  }
  if (auto known = plain.find(c); c != '\0' && known != std::string_view::npos) {
    text += meaning[known];
    return true;
  }
  if (c != 'u') {
    return wrong(fmt::format("found the unknown escape \\{}", excerpt(text_.substr(at_ - 1, 1), 1)),
                 at_ - 1);
  }
  auto unit = hex_escape();
  if (!unit.ok()) {
    return std::move(unit).error();
  }
  char32_t point = *unit;
  if (point >= 0xD800 && point < 0xDC00 && text_.substr(at_).starts_with("\\u")) {
    at_ += 2;
    auto low = hex_escape();
    if (!low.ok()) {
      return std::move(low).error();
    }
    bool pair = *low >= 0xDC00 && *low < 0xE000;
    point = pair ? 0x10000 + ((point - 0xD800) << 10) + (*low - 0xDC00) : 0xFFFD;
  }
  append_utf8(text, point >= 0xD800 && point < 0xE000 ? 0xFFFD : point);
  return true;
}

Result<StringPiece> Lexer::string_piece() {
  StringPiece piece;
  auto start = at_;
  while (at_ < text_.size()) {
    char c = text_[at_++];
    if (c == '"') {
      return piece;
    }
    if (c != '\\') {
      piece.text += c;
      continue;
    }
    auto plain = escape(piece.text);
    if (!plain.ok()) {
      return std::move(plain).error();
    }
    if (!*plain) {
      piece.code_follows = true;
      return piece;
    }
  }
  return wrong("found a string that is never closed", start == 0 ? 0 : start - 1);
}

}  // namespace aios::expr::detail
