// SPDX-License-Identifier: Apache-2.0
#pragma once
// govern/detail/name_words: reads a person's name at a place where one is expected.

#include <cstddef>
#include <string_view>

namespace aios::govern::detail {

struct Name {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::size_t words = 0;  ///< 0: no name stands there
};

/// Up to four words that begin with a capital, particles such as "van der" between them; stops
/// before words that are addressed or introduced and are no names ("Team", "German"). The text is
/// UTF-8.
Name name_at(std::string_view text, std::size_t at);
/// One or two words in small letters that are no common words.
Name lower_name_at(std::string_view text, std::size_t at);

}  // namespace aios::govern::detail
