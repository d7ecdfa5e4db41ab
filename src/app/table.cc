// SPDX-License-Identifier: Apache-2.0
#include "app/table.h"

#include "core/text.h"

#include <algorithm>

namespace aios::app {
namespace {

constexpr std::size_t gap = 2;          ///< spaces between two columns
constexpr std::size_t text_least = 12;  ///< free text cut shorter says nothing
constexpr std::size_t text_good = 40;   ///< an ID and a word; other columns go before it is cut
constexpr std::size_t text_padded_most = 40;  ///< without a terminal

/// Code points: what a terminal shows of most scripts.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) >> 6U) != 2; }));
}

std::vector<std::size_t> widths_of(const Table& table) {
  std::vector<std::size_t> widths;
  for (const auto& title : table.header) {
    widths.push_back(width_of(title));
  }
  for (const auto& row : table.rows) {
    for (std::size_t i = 0; i < row.size() && i < widths.size(); ++i) {
      widths[i] = std::max(widths[i], width_of(row[i]));
    }
  }
  return widths;
}

std::string row_text(const std::vector<std::string>& row, const std::vector<std::size_t>& widths) {
  std::string line;
  for (std::size_t i = 0; i < row.size() && i < widths.size(); ++i) {
    if (i > 0) {
      line.append(gap, ' ');
    }
    line += row[i];
    const std::size_t used = width_of(row[i]);
    if (i + 1 < widths.size() && used < widths[i]) {
      line.append(widths[i] - used, ' ');
    }
  }
  return line + "\n";
}

std::size_t total_of(const std::vector<std::size_t>& widths) {
  std::size_t total = 0;
  for (const std::size_t width : widths) {
    total += (total == 0 ? 0 : gap) + width;
  }
  return total;
}

/// Leaves columns out from the right until the rest fits with a free text that still says
/// something, then gives the free text all the room there is. @return how many columns are left
std::size_t fit(std::vector<std::size_t>* widths, std::size_t columns, std::size_t text_column) {
  const bool has_text = text_column < widths->size();
  const std::size_t wanted = has_text ? (*widths)[text_column] : 0;
  if (has_text) {
    (*widths)[text_column] = std::min(wanted, text_good);
  }
  while (widths->size() > 1 && total_of(*widths) > columns) {
    const std::size_t excess = total_of(*widths) - columns;
    std::size_t& last = widths->back();
    if (widths->size() == text_column + 1 && last >= text_least + excess) {
      last -= excess;
    } else {
      widths->pop_back();
    }
  }
  if (text_column < widths->size()) {
    const std::size_t total = total_of(*widths);
    std::size_t& text = (*widths)[text_column];
    text = std::min(wanted, text + (columns > total ? columns - total : 0));
  }
  return widths->size();
}

}  // namespace

TableText table_text(Table table, std::size_t columns) {
  for (auto& row : table.rows) {
    for (std::string& cell : row) {
      cell = excerpt(cell, cell.size());  // on one line
    }
  }
  std::vector<std::size_t> widths = widths_of(table);
  const auto text_column = static_cast<std::size_t>(
      std::find(table.header.begin(), table.header.end(), table.text_title) - table.header.begin());
  TableText out;
  if (columns == 0 && text_column < widths.size()) {
    const std::size_t least = width_of(table.header[text_column]);
    widths[text_column] = std::clamp(widths[text_column], least, std::max(least, text_padded_most));
  }
  if (columns > 0) {
    const std::size_t shown = fit(&widths, columns, text_column);
    out.hidden.assign(table.header.begin() + static_cast<std::ptrdiff_t>(shown),
                      table.header.end());
    for (auto& row : table.rows) {
      if (text_column < shown && width_of(row[text_column]) > widths[text_column]) {
        row[text_column] = excerpt(row[text_column], widths[text_column] - 3);
      }
    }
  }
  out.text = row_text(table.header, widths);
  for (const auto& row : table.rows) {
    out.text += row_text(row, widths);
  }
  return out;
}

}  // namespace aios::app
