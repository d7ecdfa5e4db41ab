// SPDX-License-Identifier: Apache-2.0
#pragma once
// expr/detail/jq_lexer: the words of a jq text. Strings are read piece by piece, because code may
// stand in them.

#include "core/result.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace aios::expr::detail {

enum class Word : std::uint8_t {
  end,
  number,
  name,
  variable,
  field,
  format,
  quote,
  keyword,
  symbol,  // one of the operators and brackets, its text says which
};

struct Token {
  Word word = Word::end;
  std::string_view text;  // names without "$", ".", "@"
  std::size_t at = 0;     // offset of its first byte
};

struct StringPiece {
  std::string text;
  bool code_follows = false;  // else the string has ended
};

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  Result<Token> next();
  /// After a quote token, or after the ")" that closes code in a string.
  Result<StringPiece> string_piece();
  /// An error at this offset; the caller adds file and page.
  Error wrong(std::string message, std::size_t at) const;
  /// Line from 1 of the offset.
  std::uint32_t line_of(std::size_t at) const;
  std::size_t at() const { return at_; }

 private:
  void skip_blanks();
  Result<Token> number();
  Token name(Word word, std::size_t start, std::size_t skip);
  Result<char32_t> hex_escape();
  Result<bool> escape(std::string& text);

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace aios::expr::detail
