// SPDX-License-Identifier: Apache-2.0
// Store::commit: what is done on the caller's thread (limits, sealing, encoding, a first look at
// the tables) before the sequencer sees the transition.
#include "store/detail/store_impl.h"

namespace aios::store::detail {

/// Seals the payloads of one transition; asks for each subject's key once.
class Preparation {
 public:
  Preparation(StoreImpl& store, const Transition& transition)
      : store_(store),
        transition_(transition),
        now_(store.clock_.now()) {}

  Result<std::shared_ptr<const Record>> run() {
    record_->tenant = transition_.tenant.text();
    record_->epoch = transition_.epoch;
    record_->budgets = transition_.budgets;
    record_->outbox_done = transition_.outbox_done;
    for (const AuditLeaf& leaf : transition_.leaves) {
      record_->leaves.push_back({leaf.bytes});  // what opens it stays out of the journal
    }
    for (const StreamWrite& stream : transition_.streams) {
      add_stream(stream);
    }
    for (const KeyClaim& claim : transition_.keys) {
      add_key(claim);
    }
    const std::string owner = record_->tenant + '\0';
    for (const OutboxMessage& message : transition_.outbox) {
      record_->outbox.push_back({message.topic, message.ordering_key,
                                 seal(Use::message, owner + message.topic, message.data)});
    }
    for (const auto& [subject, grant] : grants_) {
      if (grant.assignment) {
        record_->assignments.push_back(*grant.assignment);
      }
    }
    if (error_) {
      return *std::move(error_);
    }
    return std::shared_ptr<const Record>(std::move(record_));
  }

 private:
  void add_stream(const StreamWrite& stream) {
    RecordStream out;
    out.key = stream_key(stream.kind, record_->tenant, stream.id);
    out.expected_version = stream.expected_version;
    out.status = stream.status;
    out.label = stream.label;
    out.wake_at = stream.wake_at;
    out.end = stream.end;
    if (stream.state) {
      out.state = seal(Use::state, out.key, *stream.state);
    }
    for (const HistoryEvent& event : stream.history) {
      out.history.push_back({event.type, event.time, seal(Use::event, out.key, event.data)});
    }
    record_->streams.push_back(std::move(out));
  }

  void add_key(const KeyClaim& claim) {
    auto fingerprint = store_.keyring_->fingerprint(record_->tenant, claim.space, claim.key);
    if (!fingerprint.ok()) {
      error_ = std::move(fingerprint).error();
      return;
    }
    record_->keys.push_back({*fingerprint, claim.request_digest, claim.value});
  }

  std::string seal(Use use, std::string_view owner, const Payload& payload) {
    if (payload.bytes.empty() || error_) {
      return {};
    }
    for (const auto& [subject, grant] : grants_) {
      if (subject == payload.subject) {
        return store_.sealer_.seal(grant, use, owner, payload.bytes);
      }
    }
    auto grant = store_.keyring_->grant(record_->tenant, payload.subject, now_);
    if (!grant.ok()) {
      error_ = std::move(grant).error();
      return {};
    }
    grants_.emplace_back(payload.subject, *grant);
    return store_.sealer_.seal(*grant, use, owner, payload.bytes);
  }

  StoreImpl& store_;
  const Transition& transition_;
  Time now_;
  std::shared_ptr<Record> record_ = std::make_shared<Record>();
  std::vector<std::pair<std::string, Keyring::Grant>> grants_;
  std::optional<Error> error_;
};

Result<std::unique_ptr<Submission>> StoreImpl::prepare(const Transition& transition) {
  auto record = Preparation(*this, transition).run();
  if (!record.ok()) {
    return std::move(record).error();
  }
  auto submission = std::make_unique<Submission>();
  submission->record = *std::move(record);
  submission->body = encode(*submission->record);
  if (auto looked = look_up(*submission); !looked.ok()) {
    return std::move(looked).error();
  }
  return submission;
}

// The writer is one thread for all: what the tables say is asked here, on the caller's.
Result<void> StoreImpl::look_up(Submission& submission) {
  ReadGate::Pass pass(gate_);
  submission.base_cursor = engine_->cursor();
  for (const RecordStream& stream : submission.record->streams) {
    std::optional<std::uint64_t> base;
    if (!delta_.version(stream.key)) {
      auto version = engine_->version(stream.key);
      if (!version.ok()) {
        return std::move(version).error();
      }
      base = *version;
    }
    submission.base_versions.push_back(base);
  }
  for (const RecordKey& key : submission.record->keys) {
    auto found = engine_->key(key.fingerprint);
    if (!found.ok()) {
      return std::move(found).error();
    }
    submission.base_keys_taken.push_back(found->has_value());
  }
  return {};
}

Task<Result<Committed>> StoreImpl::commit(Context ctx, Transition transition) {
  if (auto refused = refuse(ctx)) {
    co_return *std::move(refused);
  }
  if (auto limits = check_limits(ctx, transition); !limits.ok()) {
    co_return std::move(limits).error();
  }
  auto submission = prepare(transition);
  if (!submission.ok()) {
    co_return std::move(submission).error();
  }
  const runtime::OneShot<Committed> done = (*submission)->done;
  if (auto queued = sequencer_.submit(*std::move(submission)); !queued.ok()) {
    co_return std::move(queued).error();
  }
  auto committed = co_await done.wait(std::move(ctx));
  co_return committed;
}

}  // namespace aios::store::detail
