// SPDX-License-Identifier: Apache-2.0
#pragma once
// workflow/detail/state_format: the first byte of a saved state. It is on disk.

namespace aios::workflow {

inline constexpr char state_format = 1;

}  // namespace aios::workflow
