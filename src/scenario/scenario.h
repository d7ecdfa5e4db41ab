// SPDX-License-Identifier: Apache-2.0
#pragma once
// scenario/scenario: a bundle tried out without the outside: an event in, scripted answers of
// models, systems and people, and what must come of it. On simulated time and a store in memory;
// everything else is what a server does. The form of a file: docs/guide/scenarios.md.
// Threading: any thread, one scenario at a time in each; nothing but `learnt` is shared.

#include "bundle/bundle.h"
#include "bundle/learnt.h"
#include "core/json.h"
#include "core/result.h"
#include "expr/yaml.h"

#include <memory>
#include <string>
#include <vector>

namespace aios::scenario {

/// One entry of a file's `scenarios`. What it says is valid against the form.
struct Scenario {
  std::string name;
  std::string file;
  std::shared_ptr<const expr::YamlDocument> document;
  std::string pointer;  ///< of the entry in the document: "/scenarios/0"

  /// A member of the entry, else the file's `given` of that name; nullptr when neither has it.
  const Json* member(std::string_view wanted) const;
  /// An error at the place of a pointer that begins at the entry: "/expect/output".
  Error error(std::string_view inner, std::string message, int page) const;
};

struct ReadScenarios {
  std::vector<Scenario> scenarios;
  std::vector<Error> errors;  ///< [AIOS-1700], each with its place; a file with one gives none
};
/// @param files  path in the bundle ("tests/refund.yaml") and text.
ReadScenarios read_scenarios(const bundle::Files& files);
/// The files tests/*.yaml below a bundle's directory; none when there is no such folder.
/// @return unavailable [AIOS-1702] for one that cannot be read.
Result<bundle::Files> read_scenario_files(const std::string& directory);

/// What came of a scenario.
struct Verdict {
  /// Empty: it holds. [AIOS-1701] at each expectation that is broken, at what was asked and has no
  /// answer, at an answer that is refused; [AIOS-1700] at an event that is none; what the bundle's
  /// check says when it cannot be deployed.
  std::vector<Error> failures;
  /// {event, status, output, error, requests, questions, leaves}: what happened, as `expect` has
  /// it; null when the bundle cannot be deployed.
  Json found;
};
/// @param overrides  values of the bundle's parameters; the scenario's own win.
/// @param learnt  the same for all scenarios of a bundle: its articles are learnt once.
/// @return errors of the rooms themselves, which say nothing of the bundle.
Result<Verdict> run_scenario(const Scenario& scenario, const bundle::Files& bundle,
                             const JsonObject& overrides, bundle::Learnt* learnt);

}  // namespace aios::scenario
