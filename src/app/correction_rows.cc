// SPDX-License-Identifier: Apache-2.0
#include "app/correction_rows.h"

#include "models/learning.h"

#include <algorithm>
#include <map>
#include <set>

namespace aios::app {
namespace {

constexpr std::uint32_t page_rows = 500;
constexpr std::size_t rows_read_max = 2 * models::correction_rows_max;

Task<Result<std::vector<models::CorrectionRow>>> read(review::Reviews* reviews, Context ctx,
                                                      std::vector<std::string> sets) {
  std::map<std::string, models::CorrectionRow> latest;  // by run
  const std::set<std::string> names(sets.begin(), sets.end());
  for (const std::string& name : names) {
    std::string after;
    for (std::size_t read = 0; read < rows_read_max;) {
      auto page = co_await reviews->corrections(ctx, name, after, page_rows);
      if (!page.ok()) {
        co_return std::move(page).error();
      }
      for (const review::Correction& row : *page) {
        after = row.id;
        if (row.erased) {
          continue;
        }
        models::CorrectionRow& kept = latest[row.run.empty() ? row.id : row.run];
        if (kept.id.empty() || kept.at < row.at || (kept.at == row.at && kept.id < row.id)) {
          kept = {row.id, row.text, row.label, row.by, row.at};
        }
      }
      read += page->size();
      if (page->size() < page_rows) {
        break;
      }
    }
  }
  std::vector<models::CorrectionRow> rows;
  for (auto& [run, row] : latest) {
    rows.push_back(std::move(row));
  }
  std::sort(rows.begin(), rows.end(),
            [](const models::CorrectionRow& a, const models::CorrectionRow& b) {
              return a.at != b.at ? a.at < b.at : a.id < b.id;
            });
  co_return rows;
}

}  // namespace

models::RowSource correction_rows(review::Reviews* reviews) {
  return [reviews](Context ctx, std::vector<std::string> sets) {
    return read(reviews, std::move(ctx), std::move(sets));
  };
}

}  // namespace aios::app
