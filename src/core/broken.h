// SPDX-License-Identifier: Apache-2.0
#pragma once
// core/broken: the checks that a build for tests can leave out, one at a time, to show that the
// simulation misses it (tests/sim). Every other build has them all, and nothing at run time can
// take one away. The build's option AIOS_BREAK says which; the release preset refuses it.

#include <string_view>

#ifndef AIOS_BREAK
#define AIOS_BREAK ""
#endif

namespace aios {

/// Whether this file was compiled without the check: fence, version, epoch or key.
static consteval bool left_out(std::string_view check) { return check == AIOS_BREAK; }

/// What such a program says of itself, behind its version and when it starts; empty: nothing is
/// left out.
std::string_view broken_note();

}  // namespace aios
