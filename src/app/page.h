// SPDX-License-Identifier: Apache-2.0
#pragma once
// app/page: one thing on a page for a person: "LABEL      text", wrapped under the text. Give it
// texts that are safe to show (app/terminal); to stdout.

#include "core/json.h"

#include <string>
#include <string_view>

namespace aios::app {

/// Nothing where the text is empty; a long text is cut.
void page_line(std::string_view label, std::string_view text);
/// A line each member of an object ("name: value"); any other value in one line.
void page_members(std::string_view label, const Json& value);
/// To be copied: neither wrapped nor cut.
void page_command(std::string_view label, std::string_view command);
/// A text as it is, everything else as JSON.
std::string value_text(const Json& value);

/// "2.5s": from one time of the API to another; empty where one is none, or they are the wrong way
/// round.
std::string took_text(std::string_view from, std::string_view to);

/// Who `member` names: the name of the key with its id behind it, or what is known of both.
std::string person_text(const Json& row, std::string_view member);
/// The same for a table: the name alone, where it is known.
std::string person_name(const Json& row, std::string_view member);

}  // namespace aios::app
