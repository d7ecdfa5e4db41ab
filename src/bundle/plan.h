// SPDX-License-Identifier: Apache-2.0
#pragma once
// bundle/plan: what a deployment changes, part by part, against what runs now. Pure values; nothing
// is changed by asking.

#include "bundle/bundle.h"
#include "core/json.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace aios::bundle {

struct ParameterChange {
  std::string name;
  Json from;  ///< null: it was not declared
  Json to;    ///< null: it is declared no more
};

struct PartChange {
  enum class What : std::uint8_t { add, change, remove };
  std::string part;  ///< "workflow", "policy", "connector", "form", "setting", ...
  std::string name;  ///< "support/ticket", "policies/events.rego", "help-desk"
  What what = What::change;
  std::string from;  ///< what tells the two apart: a version and a digest, an address; may be empty
  std::string to;
  std::string note;  ///< what to look at; mostly empty
};

/// Runs of a workflow that changes or goes, of one version, that are not at their end.
struct RunsUnderWay {
  std::string workflow;  ///< "namespace/name"
  std::string version;
  std::uint64_t count = 0;
  bool more = false;  ///< there are more than were counted
};

struct Plan {
  std::string name, version, digest;
  std::string from_version, from_digest;  ///< empty: nothing runs
  std::uint64_t from_number = 0;          ///< deployments so far
  bool changed = true;                    ///< false: deploying it changes nothing
  std::vector<PartChange> parts;
  std::vector<ParameterChange> parameters;  ///< secrets are not shown: see shown_parameter()
  std::vector<RunsUnderWay> runs;           ///< they keep the version they began with
  std::vector<std::string> warnings;        ///< of the check
  Json to_json() const;
};

/// What a plan shows of a parameter's value: texts that are named like a secret (password, token,
/// ...), at any depth, and addresses with a password in them are "(not shown)".
Json shown_parameter(std::string_view name, const Json& value);
JsonObject shown_parameters(const JsonObject& parameters);
/// Whether a value, at any depth, is what stands for one that is not shown.
bool stands_for_hidden(const Json& value);

/// @param before  what runs; null: nothing.
std::vector<PartChange> part_changes(const Bundle* before, const Bundle& after);

/// Names ("namespace/name") of the workflows that a list of changes touches.
std::vector<std::string> workflows_touched(const std::vector<PartChange>& changes);

}  // namespace aios::bundle
