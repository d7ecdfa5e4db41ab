// SPDX-License-Identifier: Apache-2.0
#include "expr/detail/jq_text.h"

#include "core/text.h"
#include "expr/detail/jq_print.h"

#include <cstring>

namespace aios::expr::detail {
namespace {

bool continues(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

}  // namespace

CodePoint first_code_point(std::string_view text) {
  constexpr CodePoint broken{0xFFFD, 1, false};
  auto lead = static_cast<unsigned char>(text[0]);
  if (lead < 0x80) {
    return {lead, 1, true};
  }
  std::size_t bytes = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4) {
    return broken;
  }
  char32_t value = lead & (0xFFU >> (bytes + 1));
  for (std::size_t i = 1; i < bytes; ++i) {
    if (i >= text.size() || !continues(text[i])) {
      return {0xFFFD, i, false};
    }
    value = (value << 6) | (static_cast<unsigned char>(text[i]) & 0x3FU);
  }
  bool overlong = (bytes == 3 && value < 0x800) || (bytes == 4 && value < 0x10000);
  if (overlong || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) {
    return {0xFFFD, bytes, false};
  }
  return {value, bytes, true};
}

std::size_t count_code_points(std::string_view text) {
  std::size_t count = 0;
  for (char c : text) {
    count += continues(c) ? 0 : 1;
  }
  return count;
}

std::size_t find_text(std::string_view text, std::string_view wanted, std::size_t from) {
  if (from > text.size()) {
    return std::string_view::npos;
  }
  const char* begin = text.data() + from;
  const void* at = ::memmem(begin, text.size() - from, wanted.data(), wanted.size());  // two-way
  return at == nullptr ? std::string_view::npos
                       : static_cast<std::size_t>(static_cast<const char*>(at) - text.data());
}

std::size_t byte_offset(std::string_view text, std::size_t code_point) {
  std::size_t at = 0;
  for (; code_point > 0 && at < text.size(); --code_point) {
    ++at;
    while (at < text.size() && continues(text[at])) {
      ++at;
    }
  }
  return at;
}

std::string repaired_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    auto point = first_code_point(text.substr(at));
    append_utf8(out, point.value);
    at += point.bytes;
  }
  return out;
}

}  // namespace aios::expr::detail
