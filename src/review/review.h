// SPDX-License-Identifier: Apache-2.0
#pragma once
// review/review: questions to people. This module says what a review is, who may answer, and what
// an answer must look like; it gives StreamWrites, and workflow commits them with the run's own, so
// that a question without a waiting run (or the reverse) cannot exist. Claims concern no run, and
// are committed here. An answer to a review with a dataset is a labelled row, and a correction
// where it differs from what the machine suggested.

#include "core/context.h"
#include "govern/guard.h"
#include "govern/refusal.h"
#include "review/queue.h"
#include "review/review_info.h"
#include "runtime/executor.h"
#include "runtime/task.h"
#include "store/store.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace aios::review {

inline constexpr Duration lease_default = std::chrono::minutes(15);
inline constexpr Duration lease_min = std::chrono::seconds(10);
inline constexpr Duration lease_max = std::chrono::hours(8);
inline constexpr std::size_t reason_bytes_max = 1'000;

struct Opened {
  std::string id;  ///< "rev_..."
  store::StreamWrite write;
  store::AuditLeaf leaf;
  std::optional<Time> next_step;  ///< ReviewInfo::next_step()
};

/// What the engine knows of the run that asks.
struct RunFacts {
  JsonObject memory;                ///< the guard's `run`
  std::string starter;              ///< id of the principal that started it
  std::string event, event_source;  ///< of the event that started it
};

/// What a person says of a review.
struct Said {
  enum class Word : std::uint8_t { answer, approve, send_back, assign };
  Word word = Word::answer;
  Json answer;                     ///< answer
  std::string reason;              ///< send_back: 1 to 1,000 bytes
  std::vector<std::string> roles;  ///< assign: who may answer from now on
  std::uint64_t version = 0;       ///< the review as it was seen; 0: whatever it is
};

struct Prepared {
  std::vector<store::StreamWrite> writes;  ///< the review, the labelled row
  store::AuditLeaf leaf;
  std::string run_id, step;
  std::string outcome;  ///< answered, proposed, sent_back or assigned, as the leaf says it
  /// Set: the run goes on with it. {decision: "answered", answer, by, at, corrected} and, where
  /// somebody approved it, approved_by. corrected: some member of the suggestion has another value
  /// in the answer, or is missing there.
  std::optional<Json> result;
  JsonObject memory;  ///< with a result: the entry of run.reviews[]
};

/// What a time that has come makes of a review.
struct Due {
  std::vector<store::StreamWrite> writes;
  std::vector<store::AuditLeaf> leaves;
  bool overdue = false;                   ///< it became so now
  std::vector<std::string> escalated_to;  ///< roles that were added now
  bool failed = false;                    ///< it is closed, and the step fails
  std::optional<Time> next_step;
  ReviewInfo info;
};

/// Threading: any executor.
class Reviews {
 public:
  /// Who holds a key: keys of one holder are one person's. Empty: not known.
  using Holder = std::function<std::string(const TenantId& tenant, const std::string& principal)>;

  Reviews(store::Store& store, const govern::Guard& guard, runtime::Clock& clock,
          runtime::Random& random);
  ~Reviews();
  /// Without one, each key is a person. Before the first call.
  void know_holders(Holder holder) { holder_ = std::move(holder); }

  /// Guard point review_assign, phase "open".
  /// @return policy_denied [AIOS-0501, 0606], with a leaf; invalid_argument when the form is not a
  ///         JSON Schema or the request breaks a bound [AIOS-0604], or cannot give the rows of its
  ///         data set [0605]; resource_exhausted [0616] with too many open questions.
  Task<govern::Refusable<Opened>> open(Context ctx, ReviewRequest request, JsonObject run);
  /// Guard point review_assign, phase "answer", "approve" or "assign".
  /// @return not_found [AIOS-0600]; failed_precondition [0601] when it is not open any more, naming
  ///         by whom and when, [0608] while somebody else has it in hand, [0611] when it is not at
  ///         that; permission_denied [0602] when the principal has none of the roles, [0610] when
  ///         the same person would approve; invalid_argument [0603] listing every place where the
  ///         answer does not fit, [0614] for a reason or roles that cannot be; aborted [0609] when
  ///         it is another version; policy_denied [0501, 0606] with a leaf.
  Task<govern::Refusable<Prepared>> prepare(Context ctx, std::string review_id, Said said,
                                            RunFacts run);
  /// The write that closes a review that waits, because its run ended otherwise.
  Task<Result<store::StreamWrite>> prepare_cancel(Context ctx, std::string review_id);
  /// What is to happen by `at` (or by now): overdue, escalation (guard point review_assign, phase
  /// "escalate"), expiry. Each one time.
  Task<Result<Due>> prepare_due(Context ctx, std::string review_id, Time at, JsonObject run);

  /// Who may answer (or approve) has it in hand for so long; again: from now on for so long.
  /// @return as prepare(); invalid_argument [AIOS-0612] for a lease out of its bounds
  Task<Result<ReviewInfo>> claim(Context ctx, std::string review_id, Duration lease,
                                 std::uint64_t version);
  /// The most urgent one that waits, that the caller may answer and that nobody has in hand.
  /// @return not_found [AIOS-0615] when there is none
  Task<Result<ReviewInfo>> claim_next(Context ctx, QueueQuery query, Duration lease);
  /// Ends a claim. Another's: only for who operates the server, with a reason.
  /// @return failed_precondition [AIOS-0613] when nobody has it in hand; permission_denied [0511];
  ///         invalid_argument [0614] without a reason
  Task<Result<ReviewInfo>> release(Context ctx, std::string review_id, std::string reason,
                                   std::uint64_t version);

  Task<Result<ReviewInfo>> get(Context ctx, std::string review_id);
  /// Oldest first, whole. @param status  one of ReviewInfo::status or empty for all.
  /// @param after  exclusive start. @param limit  1 to 1,000.
  Task<Result<std::vector<ReviewInfo>>> list(Context ctx, std::string status, std::string after,
                                             std::uint32_t limit);
  /// Those that wait, from an index in memory: without what is sealed.
  Task<Result<QueuePage>> queue(Context ctx, QueueQuery query);
  Task<Result<QueueCounts>> counts(Context ctx);
  /// The labelled rows of a data set (empty: of all), oldest first.
  /// @param after  exclusive start. @param limit  1 to 1,000.
  Task<Result<std::vector<Correction>>> corrections(Context ctx, std::string dataset,
                                                    std::string after, std::uint32_t limit);

  /// Whether two principals are one person: the same key, or keys of one holder.
  bool same_person(const TenantId& tenant, const std::string& one, const std::string& other) const;

  /// Told by whoever commits writes of reviews, once they are durable: for the index.
  void saved(const TenantId& tenant, const std::vector<store::StreamWrite>& writes);
  /// It is not known whether they are: the index is read again.
  void doubt(const TenantId& tenant);

 private:
  struct Answering;
  Task<Result<store::StreamRow>> row(Context ctx, std::string review_id);
  Task<Result<void>> index(Context ctx);
  Task<govern::Refusable<Prepared>> take_answer(Context ctx, Answering at);
  Task<govern::Refusable<Prepared>> approve(Context ctx, Answering at);
  Result<void> check_approver(const Context& ctx, const Answering& at) const;
  Task<govern::Refusable<Prepared>> assign(Context ctx, Answering at);
  void escalate(const Context& ctx, ReviewInfo& info, const JsonObject& run, Due& out);
  Prepared finish(Answering at, Json answer);
  Task<Result<ReviewInfo>> claim_once(Context ctx, std::string review_id, Duration lease,
                                      std::uint64_t version);
  Task<Result<ReviewInfo>> release_once(Context ctx, std::string review_id, std::string reason,
                                        std::uint64_t version);
  Task<Result<void>> commit(Context ctx, store::StreamWrite write, store::AuditLeaf leaf);

  store::Store* store_;
  const govern::Guard* guard_;
  runtime::Clock* clock_;
  runtime::Random* random_;
  Holder holder_;
  std::unique_ptr<Desk> desk_;
};

}  // namespace aios::review
