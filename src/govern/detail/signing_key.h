// SPDX-License-Identifier: Apache-2.0
#pragma once
// govern/detail/signing_key: the Ed25519 key that signs checkpoints, in the form Go's note package
// writes: "PRIVATE+KEY+<name>+<hash>+<base64 of 0x01 and the seed>".

#include "core/result.h"
#include "govern/tlog.h"

#include <string>

namespace aios::govern::detail {

struct SigningKey {
  VerifierKey verifier;
  std::string seed;
};

/// Reads the key, whose name stands in it, or makes one of that name (mode 0600). Errors: see
/// AuditLog::open.
Result<SigningKey> open_key(const std::string& path, const std::string& name_of_new);

}  // namespace aios::govern::detail
