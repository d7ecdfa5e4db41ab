// SPDX-License-Identifier: Apache-2.0
// A row of the journal behind its checksum: what is read, written again reads the same.
#include "store/detail/record.h"
#include "tests/fuzz/fuzz.h"

namespace aios::fuzz {

void journal(std::string_view input) {
  using namespace store::detail;
  const auto record = decode(input);
  if (!record.ok()) {
    AIOS_ASSERT(record.error().page() == 410);
  } else {
    const std::string bytes = encode(*record);
    const auto again = decode(bytes);
    AIOS_ASSERT(again.ok() && encode(*again) == bytes);
    for (const auto& stream : record->streams) {
      AIOS_ASSERT(tenant_of(stream.key) == record->tenant);
    }
  }
  // a row that was not written so is found out
  JournalRow row;
  row.sequence = 7;
  row.first_leaf = 3;
  row.body = input;
  AIOS_ASSERT(!check_row(row, "f").ok());
  add_checksum(row);
  AIOS_ASSERT(check_row(row, "f").ok() == !input.empty());
  row.sequence = 8;
  AIOS_ASSERT(!check_row(row, "f").ok());
}

}  // namespace aios::fuzz
