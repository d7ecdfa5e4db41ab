// SPDX-License-Identifier: Apache-2.0
#pragma once
// app/version: what this binary calls itself.

#include <string>

namespace aios::app {

/// "aios 0.1.0"; of a build that leaves out a check for a test, also which.
std::string version_text();

}  // namespace aios::app
