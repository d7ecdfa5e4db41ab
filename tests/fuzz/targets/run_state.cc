// SPDX-License-Identifier: Apache-2.0
// A run's saved state: what is read is saved so that it reads the same.
#include "tests/fuzz/fuzz.h"
#include "workflow/detail/state.h"

namespace aios::fuzz {

void run_state(std::string_view input) {
  namespace flow = aios::workflow;
  std::string bytes;
  bytes.push_back(static_cast<char>(choose(input, 4)));
  bytes += input;
  const auto state = flow::decode_state(bytes);
  if (!state.ok()) {
    return;
  }
  flow::next_wake(*state);
  const std::string saved = flow::encode_state(*state, nullptr);
  const auto again = flow::decode_state(saved);
  AIOS_ASSERT(again.ok() && flow::encode_state(*again, nullptr) == saved);
}

}  // namespace aios::fuzz
