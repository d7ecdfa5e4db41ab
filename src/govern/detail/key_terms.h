// SPDX-License-Identifier: Apache-2.0
#pragma once
// govern/detail/key_terms: how long a key opens anything, and how often it may ask.

#include "core/json.h"
#include "core/result.h"
#include "core/time.h"
#include "govern/identity.h"

#include <cstdint>
#include <mutex>

namespace aios::govern::detail {

/// invalid_argument [AIOS-0565]
Result<void> check(const KeyTerms& terms, Time now);
/// In the key's record.
void put_terms(const KeyInfo& key, JsonObject* state);
void take_terms(const Json& state, KeyInfo* key);
/// unauthenticated [AIOS-0563]
Error expired(Time at);

/// What a key has left of its minute: so many requests may come at once, and others come back with
/// time. Threading: any.
class Rate {
 public:
  Rate(std::uint32_t per_minute, Instant now);
  /// One request more. @return how long to wait for it; zero: it is taken
  Duration take(Instant now);

 private:
  std::mutex mutex_;
  double per_minute_;
  double at_once_;
  double left_;
  Instant seen_;
};

}  // namespace aios::govern::detail
