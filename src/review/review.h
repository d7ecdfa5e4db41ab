// SPDX-License-Identifier: Apache-2.0
#pragma once
// review/review: questions to people. This module says what a review is, who may answer, and what
// an answer must look like; it gives StreamWrites, and workflow commits them with the run's own, so
// that a question without a waiting run (or the reverse) cannot exist. An answer to a review with a
// dataset is a labelled row, and a correction where it differs from what the machine suggested.

#include "core/context.h"
#include "core/json.h"
#include "core/result.h"
#include "govern/guard.h"
#include "govern/refusal.h"
#include "runtime/executor.h"
#include "runtime/task.h"
#include "store/store.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace aios::review {

struct ReviewRequest {
  std::string title;  ///< 1 to 500 bytes
  std::string form;   ///< its name in the bundle, 1 to 64 bytes
  Json form_schema;   ///< JSON Schema of the answer
  Json evidence;      ///< what the person is shown; with form and suggestion at most 1 MiB
  Json suggestion;    ///< the machine's answer, null when it has none
  std::vector<std::string> assignees;  ///< roles that may answer; 1 to 16
  std::optional<Duration> due;
  /// Name of a data set, at most 64 bytes. When set, the answer is a labelled example of it:
  /// evidence.text with the answer's member that the form names in "x-label" ("label" without one).
  std::string dataset;
  std::string subject;  ///< data subject, for sealing
  std::string run_id;
  std::string step;
};

struct ReviewInfo {
  std::string id, title, form, status, run_id, step;  ///< status: open, answered, cancelled
  Json form_schema, evidence, suggestion, answer;     ///< answer is null until there is one
  std::vector<std::string> assignees;
  std::string dataset;
  std::string answered_by;
  bool corrected = false;
  Time created;
  std::optional<Time> due, answered;
  std::uint64_t version = 0;
  bool erased = false;  ///< the data subject was erased: only id, form and status are left
  Json to_json() const;
};

struct Opened {
  std::string id;  ///< "rev_..."
  store::StreamWrite write;
  store::AuditLeaf leaf;
};
struct Answered {
  std::vector<store::StreamWrite> writes;  ///< the review closed, the labelled row
  store::AuditLeaf leaf;
  std::string run_id;
  std::string step;
  /// {decision: "answered", answer, by, at, corrected}: the output of the review step. corrected:
  /// some member of the suggestion has another value in the answer, or is missing there.
  Json result;
};

/// A labelled row that a person made: stream kind correction, id "cor_...", label the data set.
struct Correction {
  std::string id, dataset, text, label;
  std::string was;  ///< what the machine suggested, "" when nothing
  std::string review, run, by;
  Time at;
  bool erased = false;  ///< the data subject was erased: only id and dataset are left
  Json to_json() const;
};

/// Threading: any executor.
class Reviews {
 public:
  Reviews(store::Store& store, const govern::Guard& guard, runtime::Clock& clock,
          runtime::Random& random);
  /// Guard point review_assign.
  /// @return policy_denied [AIOS-0501, 0606], with a leaf; invalid_argument when the form is not a
  ///         JSON Schema or the request breaks a bound [AIOS-0604], or cannot give the rows of its
  ///         data set [0605].
  Task<govern::Refusable<Opened>> open(Context ctx, ReviewRequest request, JsonObject run);
  /// @return not_found [AIOS-0600]; failed_precondition [AIOS-0601] when it is not open any more,
  ///         naming by whom and when; permission_denied [AIOS-0602] when the principal has none of
  ///         the roles; invalid_argument [AIOS-0603] listing every place where the answer does not
  ///         fit.
  Task<Result<Answered>> prepare_answer(Context ctx, std::string review_id, Json answer);
  /// The write that closes an open review because its run ended otherwise.
  Task<Result<store::StreamWrite>> prepare_cancel(Context ctx, std::string review_id);
  Task<Result<ReviewInfo>> get(Context ctx, std::string review_id);
  /// Oldest first. @param status  "open", "answered", "cancelled" or empty for all.
  /// @param after  exclusive start. @param limit  1 to 1,000.
  Task<Result<std::vector<ReviewInfo>>> list(Context ctx, std::string status, std::string after,
                                             std::uint32_t limit);
  /// The labelled rows of a data set (empty: of all), oldest first.
  /// @param after  exclusive start. @param limit  1 to 1,000.
  Task<Result<std::vector<Correction>>> corrections(Context ctx, std::string dataset,
                                                    std::string after, std::uint32_t limit);

 private:
  Task<Result<store::StreamRow>> row(Context ctx, std::string review_id);

  store::Store* store_;
  const govern::Guard* guard_;
  runtime::Clock* clock_;
  runtime::Random* random_;
};

}  // namespace aios::review
