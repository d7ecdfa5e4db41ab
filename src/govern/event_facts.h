// SPDX-License-Identifier: Apache-2.0
#pragma once
// govern/event_facts: what policy is told of an event at the door (event_admit), the same whoever
// asks: the inbox when it comes, and `aios check` of what a schedule will send.
// Threading: any.

#include "core/json.h"

#include <cstdint>
#include <string_view>

namespace aios::govern {

struct EventFacts {
  std::string_view type, source, subject;
  std::string_view via;  ///< name of the declared source that it comes by; empty: none
  std::uint64_t size_bytes = 0;
};

/// The facts of the question, as govern/policy_input.h has them.
JsonObject event_admit_facts(const EventFacts& event);

}  // namespace aios::govern
