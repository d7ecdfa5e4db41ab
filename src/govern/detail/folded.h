// SPDX-License-Identifier: Apache-2.0
#pragma once
// govern/detail/folded: a text as it looks. Characters that look like one of ASCII (no-break and
// other blanks, hyphens and dashes, full-width signs, digits of other scripts) are that one, those
// that are not seen (zero-width, soft hyphens, marks of direction) are left out.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace aios::govern::detail {

struct Folded {
  std::string text;
  /// Of each byte of text: where what it stands for begins and ends in the original.
  std::vector<std::size_t> begins, ends;
};

/// @return without bytes where the text is as it looks: it is its own folding.
Folded folded(std::string_view text);

}  // namespace aios::govern::detail
