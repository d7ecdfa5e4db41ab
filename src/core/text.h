// SPDX-License-Identifier: Apache-2.0
#pragma once
// core/text: encodings and small text helpers that several modules need.

#include "core/result.h"

#include <string>
#include <string_view>
#include <vector>

namespace aios {

std::string to_hex(std::string_view bytes);
Result<std::string> from_hex(std::string_view text);
/// RFC 4648 section 4 with padding; from_base64 refuses anything else.
std::string to_base64(std::string_view bytes);
Result<std::string> from_base64(std::string_view text);
/// RFC 4648 section 5 without padding.
std::string to_base64url(std::string_view bytes);
Result<std::string> from_base64url(std::string_view text);

bool is_utf8(std::string_view text);
std::string ascii_lower(std::string_view text);
std::string_view trim(std::string_view text);
std::vector<std::string_view> split(std::string_view text, char separator);
std::string join(const std::vector<std::string>& parts, std::string_view separator);
/// The candidate with the smallest edit distance, when that is <= 1/3 of its length; else empty.
/// For "did you mean".
std::string nearest_name(std::string_view wanted, const std::vector<std::string>& candidates);
/// At most `characters_max` code points, "..." appended when cut; control characters are replaced.
/// For messages.
std::string excerpt(std::string_view text, std::size_t characters_max);
/// Quotes for CSV (RFC 4180) when needed.
std::string csv_field(std::string_view text);

}  // namespace aios
