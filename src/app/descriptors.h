// SPDX-License-Identifier: Apache-2.0
#pragma once
// app/descriptors: how many files and sockets the process may have open, and how many of them are
// for connections.

#include <cstdint>

namespace aios::app {

/// Raises the soft limit on open files to the hard one. @return the limit from then on
std::uint64_t raise_descriptor_limit();

/// How many connections a limit on open files leaves room for: the store, the audit log, calls to
/// others and peers that are turned away need descriptors, too. At least one, at most 10,000.
std::uint32_t connections_for(std::uint64_t descriptors);

}  // namespace aios::app
