// SPDX-License-Identifier: Apache-2.0
#pragma once
// govern/redaction: finds personal data in text (e-mail, phone, IBAN with checksum, payment card with Luhn, IPv4/6,
// national ids with checks, dates of birth, and names after a greeting or introduction) and replaces it by "[EMAIL_1]" and so on, the same value by the
// same mark within one text. Thread-safe, no state. Speed: one pass of compiled patterns (RE2).

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace aios::govern {

struct Finding {
  std::string kind;        ///< "email", "phone", "iban", "card", "ip", "name", "national_id", "birth_date"
  std::size_t begin = 0;   ///< byte offsets
  std::size_t end = 0;
};

/// In order, not overlapping; the longest wins.
std::vector<Finding> find_personal_data(std::string_view text);

struct Redacted {
  std::string text;
  std::vector<Finding> findings;
};
Redacted redact(std::string_view text);

}  // namespace aios::govern
