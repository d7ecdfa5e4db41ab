// SPDX-License-Identifier: Apache-2.0
#include "govern/holder.h"

#include "core/text.h"

#include <utf8proc.h>

#include <cstdlib>
#include <memory>

namespace aios::govern {
namespace {

const utf8proc_uint8_t* bytes_of(std::string_view text) {
  return reinterpret_cast<const utf8proc_uint8_t*>(text.data());
}

}  // namespace

std::string folded_holder(std::string_view name) {
  constexpr auto options = static_cast<utf8proc_option_t>(
      UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD | UTF8PROC_IGNORE);
  utf8proc_uint8_t* mapped = nullptr;
  const auto length =
      utf8proc_map(bytes_of(name), static_cast<utf8proc_ssize_t>(name.size()), &mapped, options);
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owned(mapped, &std::free);
  const std::string text = length < 0 ? ascii_lower(name)
                                      : std::string(reinterpret_cast<const char*>(mapped),
                                                    static_cast<std::size_t>(length));
  std::string out;
  for (const char c : text) {
    const bool blank = c == ' ' || (c >= '\t' && c <= '\r');
    if (!blank) {
      out.push_back(c);
    } else if (!out.empty() && out.back() != ' ') {
      out.push_back(' ');
    }
  }
  if (out.ends_with(' ')) {
    out.pop_back();
  }
  return out;
}

bool same_holder(std::string_view one, std::string_view other) {
  const std::string folded = folded_holder(one);
  return !folded.empty() && folded == folded_holder(other);
}

bool is_readable_name(std::string_view name) {
  for (std::size_t at = 0; at < name.size();) {
    const std::string_view rest = name.substr(at);
    utf8proc_int32_t point = -1;
    const auto length =
        utf8proc_iterate(bytes_of(rest), static_cast<utf8proc_ssize_t>(rest.size()), &point);
    if (length <= 0) {
      return false;
    }
    switch (utf8proc_category(point)) {
      case UTF8PROC_CATEGORY_CC:
      case UTF8PROC_CATEGORY_CF:
      case UTF8PROC_CATEGORY_CN:
      case UTF8PROC_CATEGORY_CS:
      case UTF8PROC_CATEGORY_ZL:
      case UTF8PROC_CATEGORY_ZP: return false;
      default: break;
    }
    at += static_cast<std::size_t>(length);
  }
  return true;
}

}  // namespace aios::govern
