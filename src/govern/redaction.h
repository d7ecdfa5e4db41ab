// SPDX-License-Identifier: Apache-2.0
#pragma once
// govern/redaction: finds personal data in text (e-mail, phone, IBAN with checksum, payment card
// with Luhn, IPv4/6, national ids with their checks, dates of birth, names) and replaces it by
// "[EMAIL_1]" and so on, the same value by the same mark within one text. Thread-safe, no state.
// Time is linear in the text. Names are found by what introduces them, by common given names, and
// by what is said of people only; an uncommon name that nothing tells from a firm stays.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace aios::govern {

struct Finding {
  /// "email", "phone", "iban", "card", "ip", "name", "national_id", "birth_date"
  std::string kind;
  std::size_t begin = 0;  ///< byte offsets
  std::size_t end = 0;
  bool operator==(const Finding&) const = default;
};

/// In order, not overlapping; the longest wins. Text that is not UTF-8 is searched too, but for
/// names.
std::vector<Finding> find_personal_data(std::string_view text);

struct Redacted {
  std::string text;
  std::vector<Finding> findings;  ///< offsets into the text before redaction
};
Redacted redact(std::string_view text);

}  // namespace aios::govern
