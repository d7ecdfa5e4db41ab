// SPDX-License-Identifier: Apache-2.0
#pragma once
// expr/detail/jq_text: code points in UTF-8.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace aios::expr::detail {

/// The code point at the front and how many bytes it has; U+FFFD and the bytes to skip where it is
/// broken.
struct CodePoint {
  char32_t value = 0;
  std::size_t bytes = 1;
  bool valid = true;
};
CodePoint first_code_point(std::string_view text);

std::size_t count_code_points(std::string_view text);
/// Byte offset of the first `wanted` in `text` from `from` on, or npos. Takes time in proportion to
/// what it reads, whatever the two look like (string_view::find takes their product).
std::size_t find_text(std::string_view text, std::string_view wanted, std::size_t from = 0);
/// Byte offset of the code point with this index; the size when there are fewer.
std::size_t byte_offset(std::string_view text, std::size_t code_point);

}  // namespace aios::expr::detail
