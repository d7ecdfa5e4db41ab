// SPDX-License-Identifier: Apache-2.0
#pragma once
// app/terminal: how wide it is, and how the text of others is shown on it: a ticket, a file or a
// server may hold bytes that a terminal obeys instead of showing them (ECMA-48).

#include "core/json.h"

#include <fmt/format.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace aios::app {

/// Columns of the terminal on stdout; 0 when it is none.
std::size_t terminal_columns();

/// To stderr. What cannot be written is lost: a message is not worth more than the work.
void tell_text(std::string_view text);
template <class... Args>
void tell(fmt::format_string<Args...> text, Args&&... args) {
  tell_text(fmt::format(text, std::forward<Args>(args)...));
}
/// Opens what is not open of stdin, stdout and stderr on nothing, so that no file or socket of ours
/// gets its number. Call it first.
void fill_standard_files();

/// Control characters (but line feed and tab) and those that turn the direction of writing become
/// '?', one each.
std::string shown_text(std::string_view text);
/// The same in every text and member name of the value.
Json shown(const Json& value);
/// JSON text with the same characters as \u escapes: the value stays what it is.
std::string shown_json(std::string_view text);

}  // namespace aios::app
