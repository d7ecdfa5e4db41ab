// SPDX-License-Identifier: Apache-2.0
#pragma once
// tests/tenants/actor: what one tenant does, one request after the other, as a seed says:
// everything that the API has, with few names, so that they meet those of others. What it asks
// follows from the seed and from what it was answered, and from nothing else.

#include "seen.h"
#include "world.h"

#include <cstdint>
#include <string>
#include <vector>

namespace aios::tenants {

struct ActorOptions {
  std::string tenant;
  std::string admin;  ///< its key
  std::uint64_t seed = 1;
  std::string memo;  ///< a word in all its data, which nobody else may meet
};

class Actor {
 public:
  Actor(World& world, ActorOptions options);
  /// Deploys the bundle, makes a key of each role, trains and promotes a model.
  void set_up();
  /// @param other  whose ids it tries; null: nobody is there, so it makes some up.
  void act(const Actor* other);
  /// Asks for all that can be read: each list, and the newest of what it knows by id.
  void look_at_everything();
  /// Everything it was shown, request by request, as it can be compared.
  const std::vector<std::string>& story() const { return story_; }
  /// The same as it came; answers to what named another's id are left out.
  const std::string& heard() const { return heard_; }
  const Seen& seen() const { return seen_; }
  const ActorOptions& options() const { return options_; }
  /// Requests that were answered with such a status: 2, 4, 5.
  std::size_t answered(int hundreds) const { return answered_[static_cast<std::size_t>(hundreds)]; }

 private:
  std::uint64_t below(std::uint64_t bound);
  std::string one_of(const std::vector<std::string>& texts);
  std::string known(std::string_view prefix);
  net::Response send(Ask ask);
  Ask post(std::string target, const Json& body, const std::string& key = "");
  JsonObject order_data();
  const std::string& key_of(std::size_t role) const;

  Ask send_event();
  Ask send_webhook();
  Ask start();
  Ask hand_in();
  Ask read();
  std::vector<const net::Route*> readable() const;
  std::string target_of(const net::Route& route, std::size_t newest);
  Ask review();
  Ask change_run();
  Ask change_keys();
  Ask deploy();
  Ask model();
  Ask replay();
  Ask ask_what_is_refused();
  Ask try_anothers(const Actor* other);

  World& world_;
  ActorOptions options_;
  Seen seen_;
  std::vector<std::string> keys_;  ///< secrets: reviewer, approver, operator, auditor
  std::vector<std::string> story_;
  std::string heard_;
  std::size_t answered_[6] = {};
  std::uint64_t state_;
  bool naming_another_ = false;
};

}  // namespace aios::tenants
