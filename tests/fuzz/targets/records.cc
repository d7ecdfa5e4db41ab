// SPDX-License-Identifier: Apache-2.0
// A file in a watched folder, in each format: no more records than lines.
#include "core/text.h"
#include "ingress/detail/file_watch.h"
#include "tests/fuzz/fuzz.h"

#include <algorithm>

namespace aios::fuzz {

void records(std::string_view input) {
  using ingress::FileFormat;
  const auto lines = 1 + static_cast<std::size_t>(std::count(input.begin(), input.end(), '\n'));
  for (const auto format :
       {FileFormat::csv, FileFormat::jsonl, FileFormat::json, FileFormat::text}) {
    const auto out = ingress::records_of(format, std::string(input), "f");
    if (!out.ok()) {
      AIOS_ASSERT(out.error().page() == 1211 && is_utf8(out.error().message()));
      continue;
    }
    AIOS_ASSERT(is_utf8(input) && out->size() <= lines);
    for (const Json& record : *out) {
      AIOS_ASSERT(format != FileFormat::csv || record.is_object());
      AIOS_ASSERT(parse_json(to_text(record)).ok());
    }
  }
}

}  // namespace aios::fuzz
