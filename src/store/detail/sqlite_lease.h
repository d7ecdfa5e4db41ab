// SPDX-License-Identifier: Apache-2.0
#pragma once
// detail/sqlite_lease: a reading connection for the time of one read.

#include "store/detail/sqlite_tables.h"

#include <memory>
#include <utility>

namespace aios::store::detail {

class SqliteTables::Lease {
 public:
  explicit Lease(SqliteTables& tables) : tables_(tables), reader_(tables.take_reader()) {}
  ~Lease() {
    if (reader_.ok()) {
      tables_.give_reader(*std::move(reader_));
    }
  }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  bool ok() const { return reader_.ok(); }
  Error error() const { return reader_.error(); }
  Db* operator->() { return reader_->get(); }

 private:
  SqliteTables& tables_;
  Result<std::unique_ptr<Db>> reader_;
};

/// Calls `take` for every row.
template <class Take>
Result<void> each(Statement& query, Take take) {
  for (;;) {
    auto more = query.step();
    if (!more.ok()) {
      return std::move(more).error();
    }
    if (!*more) {
      return {};
    }
    take();
  }
}

}  // namespace aios::store::detail
