// SPDX-License-Identifier: Apache-2.0
#pragma once
// app/table: rows of text in columns, for people and for line tools.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace aios::app {

struct Table {
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;
  /// The column of free text: the only one that is cut, and the first to give room. Empty: none.
  std::string_view text_title;
};

struct TableText {
  std::string text;                 ///< a line a row
  std::vector<std::string> hidden;  ///< titles of the columns for which there was no room
};

/// @param columns  of the terminal. The free text is cut to what the others leave, but not below
///                 what an ID needs: then columns are left out from the right. 0: nothing is cut or
///                 left out, and a long free text moves only its own row.
TableText table_text(Table table, std::size_t columns);

}  // namespace aios::app
