// SPDX-License-Identifier: Apache-2.0
#pragma once
// review/review: questions to people. This module says what a review is, who may answer, and what an answer must look
// like; it gives StreamWrites, and workflow commits them with the run's own, so that a question without a waiting run
// (or the reverse) cannot exist. Every answer that differs from the suggestion is a correction: a labelled row.

#include "core/context.h"
#include "core/json.h"
#include "core/result.h"
#include "govern/guard.h"
#include "runtime/task.h"
#include "store/store.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace aios::review {

struct ReviewRequest {
  std::string title;
  std::string form;            ///< its name in the bundle
  Json form_schema;            ///< JSON Schema of the answer
  Json evidence;               ///< what the person is shown
  Json suggestion;             ///< the machine's answer, null when it has none
  std::vector<std::string> assignees;  ///< roles that may answer; at least one
  std::optional<Duration> due;
  std::string dataset;         ///< when set, the answer is a labelled example of it: {text: evidence.text, label: answer.<label_field>}
  std::string subject;         ///< data subject, for sealing
  std::string run_id;
  std::string step;
};

struct ReviewInfo {
  std::string id, title, form, status, run_id, step;  ///< status: open, answered, cancelled
  Json form_schema, evidence, suggestion, answer;
  std::vector<std::string> assignees;
  std::string answered_by;
  Time created;
  std::optional<Time> due, answered;
  std::uint64_t version = 0;
  Json to_json() const;
};

struct Opened {
  std::string id;  ///< "rev_..."
  store::StreamWrite write;
  store::AuditLeaf leaf;
};
struct Answered {
  std::vector<store::StreamWrite> writes;  ///< the review closed, the correction
  store::AuditLeaf leaf;
  std::string run_id;
  std::string step;
  Json result;  ///< {decision, answer, by, at, corrected}: the output of the review step
};

class Reviews {
 public:
  Reviews(store::Store& store, const govern::Guard& guard, runtime::Clock& clock, runtime::Random& random);
  /// Guard point review_assign; policy_denied when refused, invalid_argument when the form is not a JSON Schema.
  Task<Result<Opened>> open(Context ctx, ReviewRequest request, JsonObject run);
  /// not_found; failed_precondition when already answered (naming by whom and when); permission_denied when the
  /// principal has none of the roles; invalid_argument listing every place where the answer does not fit the form.
  Task<Result<Answered>> prepare_answer(Context ctx, std::string review_id, Json answer);
  /// The write that closes an open review because its run ended otherwise.
  Task<Result<store::StreamWrite>> prepare_cancel(Context ctx, std::string review_id);
  Task<Result<ReviewInfo>> get(Context ctx, std::string review_id);
  /// Oldest first. @param status  "open", "answered", "cancelled" or empty for all.
  Task<Result<std::vector<ReviewInfo>>> list(Context ctx, std::string status, std::string after, std::uint32_t limit);

 private:
  store::Store* store_;
  const govern::Guard* guard_;
  runtime::Clock* clock_;
  runtime::Random* random_;
};

}  // namespace aios::review
