// SPDX-License-Identifier: Apache-2.0
#pragma once
// core/effect: what may be done when it is not known whether something that left the process
// happened.

#include <cstdint>
#include <string_view>

namespace aios {

enum class EffectClass : std::uint8_t {
  local,   ///< nothing leaves the process; repeated freely, no intent is written
  read,    ///< leaves the process but changes nothing there; repeated freely
  key,     ///< the peer honours an idempotency key: send again with the same key
  lookup,  ///< ask the peer whether it happened, then decide
  none,    ///< neither: an unknown outcome becomes an incident for a person; never a silent retry
};
constexpr std::string_view name_of(EffectClass effect) {
  switch (effect) {
    case EffectClass::local: return "local";
    case EffectClass::read: return "read";
    case EffectClass::key: return "key";
    case EffectClass::lookup: return "lookup";
    case EffectClass::none: return "none";
  }
  return "none";
}

/// Whether it may change the world outside.
constexpr bool acts(EffectClass effect) { return effect > EffectClass::read; }

/// What is known after a try.
enum class Outcome : std::uint8_t {
  done,     ///< it happened, the result is in hand
  failed,   ///< it certainly did not happen (refused, not sent, rolled back by the peer's word)
  unknown,  ///< sent, and no trustworthy answer came back
};
constexpr std::string_view name_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::done: return "done";
    case Outcome::failed: return "failed";
    case Outcome::unknown: return "unknown";
  }
  return "unknown";
}

}  // namespace aios
