// SPDX-License-Identifier: Apache-2.0
#pragma once
// govern/detail/personal: the finders that redaction.cc puts together. Each appends what it found,
// in any order; findings of different finders may overlap.

#include "govern/redaction.h"

#include <string_view>
#include <vector>

namespace aios::govern::detail {

/// E-mail addresses as they are, and as people and programs write them so that they are none:
/// "anna (at) example.com", "anna [at] example [dot] com", "anna%40example.com", "anna&#64;...".
void find_emails(std::string_view text, std::vector<Finding>& found);
/// E-mail addresses, IPv6 addresses, IBANs, and national ids that hold letters (UK NINO, ES DNI and
/// NIE).
void find_addresses(std::string_view text, std::vector<Finding>& found);
/// What is made of digits: cards, phones, IPv4 addresses, US SSN, DE tax ids.
void find_numbers(std::string_view text, std::vector<Finding>& found);
/// Cards that have other digits before or behind them: an order's number, "12/29", a check number.
void find_cards(std::string_view text, std::vector<Finding>& found);
bool fits_luhn(std::string_view digits);
/// Whether issuers use this length with these first digits. Nothing stands around a bare number
/// that would say more, and one in ten passes the check digit: a time, an order number.
bool is_issued(std::string_view card);
/// Names by what else stands around them. Looks at the addresses that were already found.
void find_by_context(std::string_view text, std::vector<Finding>& found);
/// Names and dates of birth, by the words before them.
void find_by_words(std::string_view text, std::vector<Finding>& found);

inline bool is_digit(char c) { return c >= '0' && c <= '9'; }
inline bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
/// ASCII letter or digit, or part of a character outside ASCII.
inline bool is_word(char c) {
  return is_digit(c) || is_letter(c) || static_cast<unsigned char>(c) >= 0x80;
}

}  // namespace aios::govern::detail
