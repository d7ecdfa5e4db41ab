// SPDX-License-Identifier: Apache-2.0
// A connector's manifest: it is taken, or each mistake is told at a place.
#include "connectors/connectors.h"
#include "core/text.h"
#include "tests/fuzz/fuzz.h"

namespace aios::fuzz {

void connector(std::string_view input) {
  const auto errors = connectors::Connectors::check({{"c.yaml", std::string(input)}},
                                                    JsonObject{{"url", "http://desk.example"}});
  for (const Error& error : errors) {
    AIOS_ASSERT(error.page() != 0 && is_utf8(error.text()) && error.file() == "c.yaml");
  }
}

}  // namespace aios::fuzz
