// SPDX-License-Identifier: Apache-2.0
#pragma once
// govern/policy_input: what a policy sees of a question at each guard point, member by member. Who
// asks the guard hands its facts through held(): in every build but a release one the process ends
// where they are not what stands here. docs/guide/reference/policy-inputs.md is printed from here.
// Threading: any; nothing here changes.

#include "core/json.h"
#include "core/result.h"
#include "govern/guard.h"

#include <span>
#include <string_view>

namespace aios::govern {

struct InputMember {
  /// From `input`; of each entry of a list "[]": "run.reviews[].by".
  std::string_view path;
  /// text, number, boolean, texts, object, list or any. A trailing "?" allows null, an object with
  /// a trailing "*" may be empty, and then has none of its members.
  std::string_view type;
  std::string_view when;  ///< empty: always there; else said in words
  std::string_view meaning;
};

/// Of every question; the guard itself fills them in.
std::span<const InputMember> common_input();
/// The facts of one point's questions. GuardPoint::question has none: its input is the document's.
std::span<const InputMember> input_of(GuardPoint point);
/// Whether a question at that point has the object `run`.
bool has_run(GuardPoint point);
/// Of the object `run` that a question asked for a run has: paths begin with "run".
std::span<const InputMember> run_input();

/// @return failed_precondition with all members that are missing, of another type or not known. Of
///         `run` only that it is an object: check_run() is for who makes it.
Result<void> check_input(GuardPoint point, const JsonObject& facts);
Result<void> check_run(const JsonObject& run);
/// The facts themselves; what check_input() refuses ends the process (not in a release build).
JsonObject held(GuardPoint point, JsonObject facts);
JsonObject held_run(JsonObject run);

}  // namespace aios::govern
