// SPDX-License-Identifier: Apache-2.0
// Certificates and keys out of a file: all of them, or one error that names it.
#include "net/detail/pem.h"

#include "tests/fuzz/fuzz.h"

namespace aios::fuzz {

void pem(std::string_view input) {
  using namespace net::detail;
  const std::string text(input);
  if (const auto chain = certificates_of(text, "f"); chain.ok()) {
    AIOS_ASSERT(!chain->empty());
    for (const auto& certificate : *chain) {
      AIOS_ASSERT(fingerprint_of(certificate.get()).size() == 64);
    }
  } else {
    AIOS_ASSERT(chain.error().page() == 341);
  }
  if (const auto key = key_of(text, "f"); !key.ok()) {
    AIOS_ASSERT(key.error().page() == 341);
  }
}

}  // namespace aios::fuzz
