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

bool is_utf8(std::string_view text);
std::string ascii_lower(std::string_view text);
std::string_view trim(std::string_view text);
std::vector<std::string_view> split(std::string_view text, char separator);
std::string join(const std::vector<std::string>& parts, std::string_view separator);
/// The candidate with the smallest edit distance, when that is <= 1/3 of its length; else empty.
std::string nearest_name(std::string_view wanted, const std::vector<std::string>& candidates);
/// The end of a message about a name that is not there: "; did you mean 'x'?", or nothing.
std::string did_you_mean(std::string_view wanted, const std::vector<std::string>& names);
/// The same, but where none is near it lists what there is: "; there are: a, b", the first dozen.
std::string hint(std::string_view wanted, const std::vector<std::string>& names);
/// At most `characters_max` code points, "..." appended when cut; control characters are replaced.
/// For messages.
std::string excerpt(std::string_view text, std::size_t characters_max);

}  // namespace aios
