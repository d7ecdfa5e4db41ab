// SPDX-License-Identifier: Apache-2.0
#include "govern/event_facts.h"

#include "govern/policy_input.h"

#include <utility>

namespace aios::govern {

JsonObject event_admit_facts(const EventFacts& event) {
  JsonObject about{{"type", event.type},
                   {"source", event.source},
                   {"subject", event.subject},
                   {"via", event.via},
                   {"size_bytes", event.size_bytes}};
  JsonObject facts;
  facts["event"] = std::move(about);
  return held(GuardPoint::event_admit, std::move(facts));
}

}  // namespace aios::govern
