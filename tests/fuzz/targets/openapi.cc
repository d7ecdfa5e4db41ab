// SPDX-License-Identifier: Apache-2.0
// An OpenAPI document: what is made of it is a manifest that connectors take.
#include "bundle/openapi.h"

#include "connectors/connectors.h"
#include "core/text.h"
#include "tests/fuzz/fuzz.h"

namespace aios::fuzz {

void openapi(std::string_view input) {
  const auto made = bundle::connector_from_openapi(input, "d.yaml", {"a", {}});
  if (!made.ok()) {
    AIOS_ASSERT(made.error().page() != 0 && is_utf8(made.error().text()));
    return;
  }
  AIOS_ASSERT(is_utf8(made->manifest) && !made->operations.empty());
  const auto errors = connectors::Connectors::check({{"c.yaml", made->manifest}}, JsonObject());
  for (const Error& error : errors) {
    fail_assertion(error.text().c_str(), "the manifest that was made", 0);
  }
}

}  // namespace aios::fuzz
