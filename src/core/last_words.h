// SPDX-License-Identifier: Apache-2.0
#pragma once
// core/last_words: what a process says before it ends at once. Never waits long: whoever should
// read may have stopped, and the end must come.

#include <string_view>

namespace aios {

/// Writes to stderr as much as its reader takes within a second.
void last_words(std::string_view text);

}  // namespace aios
