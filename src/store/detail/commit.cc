// SPDX-License-Identifier: Apache-2.0
// Store::commit: what is done on the caller's thread (limits, sealing, encoding, a first look at
// the tables) before the sequencer sees the transition.
#include "store/detail/store_impl.h"

namespace aios::store::detail {

/// Turns one transition into a record, in two steps: what it names, then what it says, sealed. Asks
/// for each subject's key once.
class Preparation {
 public:
  Preparation(StoreImpl& store, Transition transition)
      : store_(store),
        transition_(std::move(transition)),
        now_(store.clock_.now()) {}

  /// Streams and keys, without payloads.
  Result<const Record*> name() {
    record_->tenant = transition_.tenant.text();
    record_->epoch = transition_.epoch;
    for (const StreamWrite& stream : transition_.streams) {
      RecordStream out;
      out.key = stream_key(stream.kind, record_->tenant, stream.id);
      out.expected_version = stream.expected_version;
      record_->streams.push_back(std::move(out));
    }
    for (KeyClaim& claim : transition_.keys) {
      auto fingerprint = store_.keyring_->fingerprint(record_->tenant, claim.space, claim.key);
      if (!fingerprint.ok()) {
        return std::move(fingerprint).error();
      }
      auto digest =
          store_.keyring_->keep_digest(record_->tenant, *fingerprint, claim.request_digest);
      if (!digest.ok()) {
        return std::move(digest).error();
      }
      record_->keys.push_back({*fingerprint, *std::move(digest), std::move(claim.value)});
    }
    return record_.get();
  }

  Result<void> fill(Submission* submission) {
    record_->budgets = std::move(transition_.budgets);
    record_->outbox_done = std::move(transition_.outbox_done);
    for (AuditLeaf& leaf : transition_.leaves) {
      record_->leaves.push_back({std::move(leaf.bytes)});  // what opens it stays out of the journal
    }
    for (std::size_t i = 0; i < transition_.streams.size(); ++i) {
      fill_stream(transition_.streams[i], record_->streams[i]);
    }
    const std::string owner = record_->tenant + '\0';
    for (OutboxMessage& message : transition_.outbox) {
      std::string sealed = seal(Use::message, owner + message.topic, message.data);
      record_->outbox.push_back(
          {std::move(message.topic), std::move(message.ordering_key), std::move(sealed)});
    }
    if (error_) {
      return *std::move(error_);
    }
    for (auto& [subject, grant] : grants_) {
      if (grant.assignment) {
        record_->assignments.push_back(*grant.assignment);
        submission->holds.push_back(std::move(grant.hold));
      }
    }
    submission->body = encode(*record_);
    submission->record = std::move(record_);
    return {};
  }

 private:
  void fill_stream(StreamWrite& stream, RecordStream& out) {
    out.status = std::move(stream.status);
    out.label = std::move(stream.label);
    out.wake_at = stream.wake_at;
    out.end = stream.end;
    if (stream.state) {
      out.state = seal(Use::state, out.key, *stream.state);
    }
    for (const HistoryEvent& event : stream.history) {
      out.history.push_back({event.type, event.time, seal(Use::event, out.key, event.data)});
    }
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
    grants_.emplace_back(payload.subject, *std::move(grant));
    return store_.sealer_.seal(grants_.back().second, use, owner, payload.bytes);
  }

  StoreImpl& store_;
  Transition transition_;
  Time now_;
  std::shared_ptr<Record> record_ = std::make_shared<Record>();
  std::vector<std::pair<std::string, Keyring::Grant>> grants_;
  std::optional<Error> error_;
};

Result<std::unique_ptr<Submission>> StoreImpl::prepare(Transition transition) {
  Preparation preparation(*this, std::move(transition));
  auto record = preparation.name();
  if (!record.ok()) {
    return std::move(record).error();
  }
  auto submission = std::make_unique<Submission>();
  if (auto looked = look_up(**record, submission.get()); !looked.ok()) {
    return std::move(looked).error();
  }
  if (auto refused = refuse_taken_key(**record, *submission)) {
    return *std::move(refused);
  }
  if (auto filled = preparation.fill(submission.get()); !filled.ok()) {
    return std::move(filled).error();
  }
  return submission;
}

// The writer is one thread for all: what the tables say is asked here, on the caller's.
Result<void> StoreImpl::look_up(const Record& record, Submission* submission) {
  ReadGate::Pass pass(gate_);
  submission->base_cursor = engine_->cursor();
  submission->base_removals = leaving_.ended();
  for (const RecordStream& stream : record.streams) {
    std::optional<std::uint64_t> base;
    if (!delta_.version(stream.key)) {
      auto version = engine_->version(stream.key);
      if (!version.ok()) {
        return std::move(version).error();
      }
      base = *version;
    }
    submission->base_versions.push_back(base);
  }
  for (const RecordKey& key : record.keys) {
    auto found = engine_->key(key.fingerprint);
    if (!found.ok()) {
      return std::move(found).error();
    }
    submission->base_keys_taken.push_back(found->has_value());
  }
  return {};
}

// A sender that repeats itself is refused before anything is sealed for it. What is taken stays
// taken; but a wrong epoch or version is told first, as the writer does.
std::optional<Error> StoreImpl::refuse_taken_key(const Record& record,
                                                 const Submission& submission) const {
  if (record.keys.empty() || record.epoch != epoch()) {
    return std::nullopt;
  }
  for (std::size_t i = 0; i < record.streams.size(); ++i) {
    const auto& base = submission.base_versions[i];
    const auto version = base ? base : delta_.version(record.streams[i].key);
    if (version != record.streams[i].expected_version) {
      return std::nullopt;
    }
  }
  for (std::size_t i = 0; i < record.keys.size(); ++i) {
    if (submission.base_keys_taken[i] || delta_.key(record.keys[i].fingerprint)) {
      return key_is_taken(i + 1);
    }
  }
  return std::nullopt;
}

Task<Result<Committed>> StoreImpl::commit(Context ctx, Transition transition) {
  if (auto refused = refuse(ctx)) {
    co_return *std::move(refused);
  }
  if (auto limits = check_limits(ctx, transition); !limits.ok()) {
    co_return std::move(limits).error();
  }
  auto submission = prepare(std::move(transition));
  if (!submission.ok()) {
    co_return std::move(submission).error();
  }
  auto committed = co_await submit(std::move(ctx), *std::move(submission));
  co_return committed;
}

Task<Result<Committed>> StoreImpl::submit(Context ctx, std::unique_ptr<Submission> submission) {
  const runtime::OneShot<Committed> done = submission->done;
  if (auto queued = sequencer_.submit(std::move(submission)); !queued.ok()) {
    co_return std::move(queued).error();
  }
  auto committed = co_await done.wait(std::move(ctx));
  co_return committed;
}

}  // namespace aios::store::detail
