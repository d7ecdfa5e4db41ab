// SPDX-License-Identifier: Apache-2.0
#pragma once
// store/label: what a stream's label (StreamWrite::label) holds of a text that may be longer.

#include <cstddef>
#include <string>
#include <string_view>

namespace aios::store {

/// A workflow's namespace and name with the '/' between them fit whole: 63 + 1 + 63.
inline constexpr std::size_t label_bytes_max = 128;

/// As much from the front as a label holds, cut between two characters. Write a label and ask for
/// one by the same.
inline std::string label_of(std::string_view text) {
  if (text.size() <= label_bytes_max) {
    return std::string(text);
  }
  std::size_t end = label_bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) {
    --end;  // in the middle of a character of UTF-8
  }
  return std::string(text.substr(0, end));
}

}  // namespace aios::store
