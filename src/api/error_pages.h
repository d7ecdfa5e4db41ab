// SPDX-License-Identifier: Apache-2.0
#pragma once
// api/error_pages: the pages of docs/errors, as they were when the program was built.

#include "core/result.h"

#include <span>
#include <string>
#include <string_view>

namespace aios::api {

struct ErrorPage {
  int number = 0;
  std::string_view title;
  std::string_view text;  ///< Markdown; its first line is "# AIOS-nnnn: title"
};

/// In the order of their numbers; they live as long as the program.
std::span<const ErrorPage> error_pages();

/// @param code  "AIOS-1401", "1401", "[aios-1401]" or "0020" as "20".
/// @return not_found [AIOS-1304] naming the nearest page, or what a code looks like.
Result<ErrorPage> find_error_page(std::string_view code);

/// "Data do not fit the schema of the source" of page 1209; empty where there is no such page.
std::string error_title(int number);
/// A text of which lines end with a page's number alone ("detail: AIOS-0904"), with the titles.
std::string with_titles(std::string_view text);

}  // namespace aios::api
