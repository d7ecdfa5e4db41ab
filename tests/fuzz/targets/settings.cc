// SPDX-License-Identifier: Apache-2.0
// server.yaml: every value that is taken is one that its row allows.
#include "app/settings.h"

#include "app/address.h"
#include "core/text.h"
#include "tests/fuzz/fuzz.h"

namespace aios::fuzz {

void settings(std::string_view input) {
  const auto rows = app::server_settings();
  app::Given given;
  given.file = "server.yaml";
  given.text = input;
  const auto out = app::Settings::settle(rows, given);
  if (!out.ok()) {
    AIOS_ASSERT(out.error().page() != 0 && is_utf8(out.error().text()));
  } else {
    for (const auto& [row, settled] : out->all()) {
      const bool own = settled.origin.starts_with("server.yaml:");
      AIOS_ASSERT(own || settled.value == row.fallback);
      AIOS_ASSERT(!own || !row.refuse || !row.refuse(settled.value));
    }
  }
  const auto [line, rest] = cut(input, "\n");
  if (const auto address = app::listen_address(line); address.ok()) {
    AIOS_ASSERT(!address->host.empty());
  }
  if (const auto address = app::server_address(line); address.ok()) {
    const auto again = app::server_address(*address);
    AIOS_ASSERT(again.ok() && *again == *address);
  }
}

}  // namespace aios::fuzz
