// SPDX-License-Identifier: Apache-2.0
#pragma once
// workflow/peer: what a call stands or falls with, by name. CallPlan::peer says whom a blocked run
// waits for, Engine::peer_recovered() who is there again: both take the name from here.

#include <string>
#include <string_view>

namespace aios::workflow {

inline std::string connector_peer(std::string_view name) {
  return "connector/" + std::string(name);
}
/// Of a model's alias.
inline std::string model_peer(std::string_view alias) { return "model/" + std::string(alias); }

}  // namespace aios::workflow
