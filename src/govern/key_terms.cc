// SPDX-License-Identifier: Apache-2.0
#include "govern/detail/key_terms.h"

#include <fmt/format.h>

namespace aios::govern::detail {

Result<void> check(const KeyTerms& terms, Time now) {
  constexpr Duration longest = std::chrono::hours(24 * 3653);
  const auto refuse = [](std::string why) {
    return Error(Code::invalid_argument, std::move(why)).page(565);
  };
  if (terms.expires && (*terms.expires <= now || *terms.expires > now + longest)) {
    return refuse(fmt::format("found the end {}, wanted one after now, {}, within ten years",
                              to_rfc3339(*terms.expires), to_rfc3339(now)));
  }
  if (terms.per_minute_max > per_minute_most) {
    return refuse(fmt::format("found a rate of {} requests a minute, wanted at most {}",
                              terms.per_minute_max, per_minute_most));
  }
  return {};
}

void put_terms(const KeyInfo& key, JsonObject* state) {
  if (key.expires) {
    (*state)["expires"] = key.expires->ns;
  }
  if (key.per_minute_max > 0) {
    (*state)["per_minute_max"] = key.per_minute_max;
  }
}

void take_terms(const Json& state, KeyInfo* key) {
  if (find(state, "expires") != nullptr) {
    key->expires = Time{int_or(state, "expires", 0)};
  }
  key->per_minute_max = static_cast<std::uint32_t>(int_or(state, "per_minute_max", 0));
}

Error expired(Time at) {
  return Error(Code::unauthenticated,
               fmt::format("the key expired at {}; an administrator makes another", to_rfc3339(at)))
      .page(563);
}

}  // namespace aios::govern::detail
