// SPDX-License-Identifier: Apache-2.0
#pragma once
// review/review_info: what a question to people is: what was asked, who has it, what was said.

#include "core/json.h"
#include "core/result.h"
#include "core/time.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace aios::review {

inline constexpr int priority_low = 20;
inline constexpr int priority_normal = 50;
inline constexpr int priority_high = 80;
inline constexpr int priority_max = 100;
/// "low", "normal", "high" or a whole number from 0 to 100; null: normal. @return invalid_argument
/// [AIOS-0604]
Result<int> priority_of(const Json& given);

/// What becomes of the step when the due time has passed.
enum class OnTimeout : std::uint8_t {
  keep,  ///< the question stays
  fail,  ///< it is closed, and the step raises a timeout
};

/// Further roles, so long after the question was asked.
struct Escalation {
  Duration after{0};
  std::vector<std::string> assignees;
};

/// From a document: null, or a list of {after: ISO 8601 duration, assignees: [roles]}. @return
/// invalid_argument [AIOS-0604]
Result<std::vector<Escalation>> escalation_of(const Json& given);
/// null or "keep", "fail"; invalid_argument [AIOS-0604]
Result<OnTimeout> on_timeout_of(const Json& given);

/// Somebody has it in hand until then; nobody else answers while it lasts.
struct Claim {
  std::string by;
  Time until;
};

/// An answer that waits for another person's word.
struct Proposal {
  Json answer;
  std::string by;
  Time at;
};

struct SentBack {
  std::string by, reason;
  Time at;
};

struct ReviewRequest {
  std::string title;  ///< 1 to 500 bytes
  std::string form;   ///< its name in the bundle, 1 to 64 bytes
  Json form_schema;   ///< JSON Schema of the answer
  Json evidence;      ///< what the person is shown; with form and suggestion at most 1 MiB
  Json suggestion;    ///< the machine's answer, null when it has none
  std::vector<std::string> assignees;  ///< roles that may answer; 1 to 16
  std::optional<Duration> due;
  OnTimeout on_timeout = OnTimeout::keep;  ///< fail: only with `due`
  std::vector<Escalation> escalation;      ///< at most 8, in the order of their times
  int priority = priority_normal;          ///< 0 to 100
  /// Name of a data set, at most 64 bytes. When set, the answer is a labelled example of it:
  /// evidence.text with the answer's member that the form names in "x-label" ("label" without one).
  std::string dataset;
  std::string subject;  ///< data subject, for sealing
  std::string run_id;
  std::string step;
  std::string workflow;  ///< of the run, "namespace/name"
};

struct ReviewInfo {
  /// status: open; approval (an answer waits for another person's word); answered; cancelled;
  /// expired (nobody answered in time, and the step failed).
  std::string id, title, form, status, run_id, step, workflow;
  Json form_schema, evidence, suggestion, answer;  ///< answer is null until there is one
  std::vector<std::string> assignees;
  int priority = priority_normal;
  std::string dataset;
  std::string answered_by;
  bool corrected = false;
  Time created;
  std::optional<Time> due, answered;
  bool overdue = false;  ///< the due time has come, and it was told
  OnTimeout on_timeout = OnTimeout::keep;
  std::vector<Escalation> escalation;
  std::uint32_t escalations_done = 0;     ///< the first so many of `escalation`
  std::vector<std::string> escalated_to;  ///< roles that were added so
  std::optional<Claim> claim;             ///< may have run out: claim_at()
  std::vector<std::string> approvers;     ///< roles; not empty: an answer needs their word
  std::optional<Proposal> proposal;       ///< with status approval
  std::optional<SentBack> sent_back;      ///< why the last proposal was not approved
  std::string approved_by;
  std::optional<Time> approved;
  std::uint64_t version = 0;
  bool erased = false;  ///< the data subject was erased: only id, form and status are left

  bool waits() const { return status == "open" || status == "approval"; }
  /// The claim that holds at that time; null: none.
  const Claim* claim_at(Time now) const;
  /// When something happens by itself: it becomes overdue, or goes to further roles.
  std::optional<Time> next_step() const;
  Json to_json() const;
  /// Without what is sealed: title, evidence, form's schema, suggestion, answers and reasons.
  Json summary_json() const;
};

/// A labelled row that a person made: stream kind correction, id "cor_...", label the data set.
struct Correction {
  std::string id, dataset, text, label;
  std::string was;  ///< what the machine suggested, "" when nothing
  std::string review, run, by;
  Time at;
  bool erased = false;  ///< the data subject was erased: only id and dataset are left
  // Lineage; empty in rows of before it was kept.
  std::string approved_by;          ///< who approved the answer; empty: nobody had to
  std::string event, event_source;  ///< id and source of the event that started the run
  std::string workflow;
  std::string model, model_version;  ///< alias and version whose answer was suggested
  std::string input_digest;          ///< hex SHA-256 of `text`
  Json suggested;                    ///< all that the machine suggested, null when nothing
  Json to_json() const;
};

}  // namespace aios::review
