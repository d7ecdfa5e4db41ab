// SPDX-License-Identifier: Apache-2.0
#pragma once
// govern/detail/key_terms: how long a key opens anything, and how often it may ask.

#include "core/json.h"
#include "core/result.h"
#include "core/time.h"
#include "govern/identity.h"

namespace aios::govern::detail {

/// invalid_argument [AIOS-0565]
Result<void> check(const KeyTerms& terms, Time now);
/// In the key's record.
void put_terms(const KeyInfo& key, JsonObject* state);
void take_terms(const Json& state, KeyInfo* key);
/// unauthenticated [AIOS-0563]
Error expired(Time at);

}  // namespace aios::govern::detail
