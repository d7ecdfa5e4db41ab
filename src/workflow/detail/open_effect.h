// SPDX-License-Identifier: Apache-2.0
#pragma once
// workflow/detail/open_effect: calls of a run that act and were given up while nobody knew whether
// they happened. A later try of the same call takes it up again under its own key, and no run ends
// before a person was asked about each.

#include "core/json.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aios::workflow {

struct EffectState;

struct OpenEffect {
  std::string name;  ///< of the call: its step and a digest of what it is made with
  std::string id;    ///< the idempotency key that it was sent with
  std::string origin, function, step;
  Json arguments;              ///< null: too large to be kept, or of an older program
  bool given_up = false;       ///< a person was asked and does not know: the run may end so
  std::optional<Json> result;  ///< a person knows that it happened: what it gave
};

class OpenEffects {
 public:
  /// In place of what is known of the same call: its last try counts.
  void keep(const EffectState& effect);
  /// The same call is made again: it is open no longer.
  std::optional<OpenEffect> take(const EffectState& call);
  /// The first that no person was asked about; null: there is none.
  const OpenEffect* unasked() const;
  /// Those that nobody knows of to this day: for whoever is told of the run's end.
  std::vector<OpenEffect> unknown() const;
  // What a person says of the one with that id.
  void give_up(std::string_view id);
  void happened(std::string_view id, Json result);
  void never_happened(std::string_view id);
  /// A branch has the last word on the calls of its own list, and none on others.
  /// @param list  pointer of that list
  void take_over(const OpenEffects& branch, std::string_view list);
  /// Of a run that is too large. Where they take more than that together, what they were made with
  /// goes, then what people said of those that happened; of more than 2,000 the later ones go.
  void shed(std::size_t bytes_max);

  /// As a run's state keeps them: a member each, by name.
  JsonObject to_json() const;
  /// Also of older programs, whose calls have a step for their name, and nothing but an id.
  static OpenEffects from_json(const JsonObject& saved);

 private:
  OpenEffect* find_id(std::string_view id);

  std::vector<OpenEffect> all_;
};

}  // namespace aios::workflow
