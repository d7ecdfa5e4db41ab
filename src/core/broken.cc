// SPDX-License-Identifier: Apache-2.0
#include "core/broken.h"

namespace aios {

std::string_view broken_note() {
  constexpr std::string_view note =
      " BROKEN ON PURPOSE, FOR A TEST: it has no check of the " AIOS_BREAK;
  constexpr bool whole = std::string_view(AIOS_BREAK).empty();
  return whole ? std::string_view() : note;
}

}  // namespace aios
