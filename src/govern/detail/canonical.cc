// SPDX-License-Identifier: Apache-2.0
#include "govern/detail/canonical.h"

#include <cstdint>

namespace aios::govern::detail {
namespace {

// to_canonical_text takes no number of the unsigned kind, however small. Depth: bounded by what
// made the value.
void make_signed(Json& value) {
  if (value.is_uint64() && value.get_uint64() <= INT64_MAX) {
    value = static_cast<std::int64_t>(value.get_uint64());
  } else if (value.is_array()) {
    for (Json& item : value.get_array()) {
      make_signed(item);
    }
  } else if (value.is_object()) {
    for (auto& member : value.get_object()) {
      make_signed(member.value());
    }
  }
}

}  // namespace

Result<std::string> canonical_text(Json value) {
  make_signed(value);
  return to_canonical_text(value);
}

}  // namespace aios::govern::detail
