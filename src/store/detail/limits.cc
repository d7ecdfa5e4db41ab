// SPDX-License-Identifier: Apache-2.0
#include "store/detail/store_impl.h"
#include "store/label.h"

#include <fmt/format.h>

#include <unordered_set>

namespace aios::store::detail {
namespace {

constexpr std::size_t status_bytes_max = 64;
constexpr std::size_t digest_bytes_max = 32;
constexpr std::size_t value_bytes_max = 256;
static_assert(items_max <= outbox_messages_max);

Error too_much(std::string_view what, std::size_t found, std::size_t most) {
  return Error(Code::invalid_argument, fmt::format("{}: found {}, at most {}", what, found, most))
      .page(406);
}

class Check {
 public:
  Check& most(std::string_view what, std::size_t found, std::size_t bound) {
    if (!error_ && found > bound) {
      error_ = too_much(what, found, bound);
    }
    return *this;
  }
  /// A name that is part of a key.
  Check& name(std::string_view what, std::string_view text) {
    if (!error_ &&
        (text.empty() || text.size() > id_bytes_max || text.find('\0') != std::string_view::npos)) {
      error_ =
          Error(Code::invalid_argument, fmt::format("{} of {} bytes, wanted 1 to {} without NUL",
                                                    what, text.size(), id_bytes_max))
              .page(406);
    }
    return *this;
  }
  Check& payload(const Payload& payload) {
    bytes_ += payload.bytes.size();
    if (!payload.subject.empty()) {
      name("subject", payload.subject);
    }
    return *this;
  }
  void count(std::size_t bytes) { bytes_ += bytes; }
  Result<void> done() {
    most("bytes of a transition", bytes_, transition_bytes_max);
    return error_ ? Result<void>(*std::move(error_)) : Result<void>();
  }

 private:
  std::optional<Error> error_;
  std::size_t bytes_ = 0;
};

void check_stream(Check& check, const StreamWrite& stream) {
  check.name("id of a stream", stream.id)
      .most("history events of a stream", stream.history.size(), items_max)
      .most("bytes of a status", stream.status.size(), status_bytes_max)
      .most("bytes of a label", stream.label.size(), label_bytes_max);
  for (const HistoryEvent& event : stream.history) {
    check.payload(event.data);
  }
  if (stream.state) {
    check.payload(*stream.state);
  }
}

}  // namespace

Result<void> check_limits(const Context& ctx, const Transition& transition) {
  if (transition.tenant.empty() || (!ctx.tenant.empty() && ctx.tenant != transition.tenant)) {
    return Error(Code::invalid_argument,
                 fmt::format("a transition of tenant '{}' in a call of tenant '{}'",
                             transition.tenant.text(), ctx.tenant.text()))
        .page(406);
  }
  Check check;
  check.most("streams of a transition", transition.streams.size(), streams_max)
      .most("keys of a transition", transition.keys.size(), items_max)
      .most("budget movements of a transition", transition.budgets.size(), items_max)
      .most("messages of a transition", transition.outbox.size(), items_max)
      .most("delivered messages of a transition", transition.outbox_done.size(), items_max)
      .most("audit leaves of a transition", transition.leaves.size(), items_max);
  std::unordered_set<std::string> seen;
  for (const StreamWrite& stream : transition.streams) {
    check_stream(check, stream);
    if (!seen.insert(stream_key(stream.kind, transition.tenant.text(), stream.id)).second) {
      return Error(Code::invalid_argument, fmt::format("{} '{}' is written twice in one transition",
                                                       name_of(stream.kind), stream.id))
          .page(406);
    }
  }
  for (const KeyClaim& claim : transition.keys) {
    check.most("bytes of a request digest", claim.request_digest.size(), digest_bytes_max)
        .most("bytes of a key's value", claim.value.size(), value_bytes_max);
  }
  for (const BudgetMove& move : transition.budgets) {
    check.name("account", move.account);
  }
  for (const OutboxMessage& message : transition.outbox) {
    check.most("bytes of a topic", message.topic.size(), id_bytes_max)
        .most("bytes of an ordering key", message.ordering_key.size(), id_bytes_max)
        .payload(message.data);
  }
  for (const AuditLeaf& leaf : transition.leaves) {
    check.most("bytes of an audit leaf", leaf.bytes.size(), leaf_bytes_max);
    check.count(leaf.bytes.size());
  }
  return check.done();
}

}  // namespace aios::store::detail
