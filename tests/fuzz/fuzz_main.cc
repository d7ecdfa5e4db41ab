// SPDX-License-Identifier: Apache-2.0
// One target as libFuzzer calls it: AIOS_FUZZ_TARGET is its function.
#include "tests/fuzz/fuzz.h"

#include <cstddef>
#include <cstdint>

namespace aios::fuzz {
void AIOS_FUZZ_TARGET(std::string_view input);
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  aios::fuzz::AIOS_FUZZ_TARGET({reinterpret_cast<const char*>(data), size});
  return 0;
}
