// SPDX-License-Identifier: Apache-2.0
#include "ingress/ingress.h"

#include "core/crypto.h"
#include "core/text.h"
#include "govern/audit.h"
#include "govern/opening.h"
#include "ingress/refusals.h"
#include "store/label.h"

#include <fmt/format.h>

#include <mutex>
#include <utility>

namespace aios::ingress {
namespace {

constexpr Duration dead_letter_line_period = std::chrono::seconds(10);
constexpr std::size_t logged_type_characters_max = 100;
constexpr std::size_t refused_source_characters_max = 200;

JsonObject admit_facts(const Event& event, std::size_t bytes) {
  JsonObject about;
  about["type"] = event.type;
  about["source"] = event.source;
  about["subject"] = event.subject;
  about["size_bytes"] = bytes;
  JsonObject facts;
  facts["event"] = std::move(about);
  return facts;
}

/// What the sender is told, kept as the key's value so that a repetition gets the same answer.
std::string answer_text(const Accepted& accepted) {
  return fmt::format("{} {} {}", accepted.id, accepted.status, accepted.run);
}

Accepted answer_from(const std::string& text) {
  const auto parts = split(text, ' ');
  Accepted accepted;
  accepted.id = std::string(parts[0]);
  accepted.status = parts.size() > 1 ? std::string(parts[1]) : "accepted";
  accepted.run = parts.size() > 2 ? std::string(parts[2]) : "";
  accepted.reason = accepted.status == "dead_letter" ? "see the event" : "";
  accepted.repeated = true;
  return accepted;
}

/// The same event again may differ in the order of its members, not in content.
std::string content_digest(const Event& event) {
  auto canonical = to_canonical_text(Json(event.envelope));
  const std::string text = canonical.ok() ? std::move(*canonical) : to_text(Json(event.envelope));
  return std::string(view(sha256(text)));
}

struct Inbox {
  const Event* event = nullptr;
  bool type_known = false;  ///< the bundle names it
  Accepted accepted;
  std::string digest;
  govern::Decision decision;
};

/// What was accepted holds its id. A dead letter only knows itself again: mended, or sent again
/// once a workflow takes it, it must not be in its own way.
std::string event_space(const Event& event) { return "event:" + event.source; }
std::string dead_space(const Event& event) { return "dead-letter:" + event.source; }

store::Transition inbox_transition(const Context& ctx, Time now, const Inbox& inbox) {
  const Event& event = *inbox.event;
  JsonObject state;
  state["event"] = event.envelope;
  state["status"] = inbox.accepted.status;
  state["run"] = inbox.accepted.run;
  state["reason"] = inbox.accepted.reason;
  state["received"] = to_rfc3339(now);

  govern::LeafFacts leaf(govern::LeafKind::event);
  leaf.stream = inbox.accepted.id;
  leaf.outcome = inbox.accepted.status;
  if (inbox.type_known) {
    leaf.facts["type"] = event.type;
  } else {  // like every source a stranger's text, which may name a person
    leaf.contents["type"] = event.type;
  }
  leaf.contents["source"] = event.source;
  leaf.facts["run"] = inbox.accepted.run;
  leaf.decisions.push_back(inbox.decision);
  leaf.payload = govern::content_of(event.envelope);
  store::AuditLeaf sealed_leaf = govern::make_leaf(ctx, now, leaf);
  state["opening"] = govern::opening_json(sealed_leaf);  // to show what the leaf committed to

  store::StreamWrite write;
  write.kind = store::StreamKind::event;
  write.id = inbox.accepted.id;
  write.state = store::Payload{event.subject, to_text(Json(std::move(state)))};
  write.status = inbox.accepted.status;
  write.label = store::label_of(event.type);
  write.end = store::StreamEnd::closed;

  store::Transition transition;
  transition.tenant = ctx.tenant;
  transition.streams.push_back(std::move(write));
  const std::string space = inbox.accepted.run.empty() ? dead_space(event) : event_space(event);
  transition.keys.push_back({space, event.id, inbox.digest, answer_text(inbox.accepted)});
  transition.leaves.push_back(std::move(sealed_leaf));
  return transition;
}

/// The event is kept once, as itself: its opening shows it in the words that the leaf commits to.
void show_payload(JsonObject& shown) {
  const Json* event = shown.if_contains("event");
  Json* opening = shown.if_contains("opening");
  if (event == nullptr || opening == nullptr || !opening->is_object()) {
    return;
  }
  Json& contents = opening->get_object()["contents"];
  if (!contents.is_object()) {
    contents = JsonObject();
  }
  contents.get_object()["payload"] = govern::content_of(*event);
}

/// A sender that uses a wrong type sends many: one line in ten seconds says how many there were.
class DeadLetterLines {
 public:
  /// @return how many to tell of now, with this one; 0: it is told of with a later one.
  std::uint64_t add(Instant now) {
    const std::lock_guard lock(mutex_);
    ++untold_;
    if (told_at_ && now - *told_at_ < dead_letter_line_period) {
      return 0;
    }
    told_at_ = now;
    return std::exchange(untold_, 0);
  }

 private:
  std::mutex mutex_;
  std::optional<Instant> told_at_;
  std::uint64_t untold_ = 0;
};

}  // namespace

Json Accepted::to_json() const {
  JsonObject out;
  out["id"] = id;
  out["status"] = status;
  if (!run.empty()) {
    out["run"] = run;
  }
  if (!reason.empty()) {
    out["reason"] = reason;
  }
  if (repeated) {
    out["repeated"] = true;
  }
  return out;
}

struct Ingress::Impl {
  IngressServices services;
  DeadLetterLines dead_letters;
  Refusals refusals;

  observe::Counter& count(std::string_view outcome) {
    return services.metrics->counter(
        {"aios_events", "Events received, by what became of them.", "", {"outcome"}},
        {std::string(outcome)});
  }
  Task<Result<Accepted>> again(Context ctx, Event event, std::string digest);
  Task<Result<Accepted>> start_run(Context ctx, Inbox inbox, std::string workflow, Time now);
  Task<Result<Accepted>> dead_letter(Context ctx, Inbox inbox, Time now);
  void warn_dead_letter(const Context& ctx, const Inbox& inbox);
  Task<void> record_refusal(Context ctx, const Event* event, govern::Decision decision);
};

Ingress::Ingress(IngressServices services) : impl_(std::make_unique<Impl>()) {
  impl_->services = services;
}
Ingress::~Ingress() = default;

/// The key is taken: the first answer again when the content is the same.
Task<Result<Accepted>> Ingress::Impl::again(Context ctx, Event event, std::string digest) {
  store::KeyClaim claim;
  claim.space = event_space(event);
  claim.key = event.id;
  claim.request_digest = std::move(digest);
  auto record = co_await services.store->key(ctx, std::move(claim));
  if (!record.ok()) {
    co_return std::move(record).error();
  }
  if (!record->has_value()) {
    co_return Error(Code::aborted, "the event's key changed while it was read", Retry::same_call);
  }
  if (!(*record)->same_request) {
    count("conflict").add();
    co_return Error(Code::already_exists,
                    fmt::format("event '{}' of source '{}' was taken before with other content",
                                excerpt(event.id, 80), excerpt(event.source, 80)))
        .page(1203);
  }
  count("repeated").add();
  co_return answer_from((*record)->value);
}

/// The reason may quote the event's data: it stays with the event.
void Ingress::Impl::warn_dead_letter(const Context& ctx, const Inbox& inbox) {
  const auto count = dead_letters.add(runtime::Executor::current()->clock().instant());
  if (services.log == nullptr || count == 0) {
    return;
  }
  services.log->write(observe::Level::warn, "ingress",
                      "events became dead letters, this one last: see 'aios events'",
                      {{"event", inbox.accepted.id},
                       {"type", excerpt(inbox.event->type, logged_type_characters_max)},
                       {"count", count}},
                      &ctx);
}

Task<Result<Accepted>> Ingress::Impl::dead_letter(Context ctx, Inbox inbox, Time now) {
  inbox.accepted.status = "dead_letter";
  inbox.accepted.run.clear();
  store::KeyClaim claim{event_space(*inbox.event), inbox.event->id, inbox.digest, ""};
  auto taken = co_await services.store->key(ctx, claim);
  if (!taken.ok() || taken->has_value()) {
    co_return taken.ok() ? Error(Code::already_exists, "the id was taken") : taken.error();
  }
  claim.space = dead_space(*inbox.event);
  auto known = co_await services.store->key(ctx, std::move(claim));
  if (!known.ok()) {
    co_return std::move(known).error();
  }
  if (known->has_value() && (*known)->same_request) {
    count("repeated").add();
    co_return answer_from((*known)->value);
  }
  auto transition = inbox_transition(ctx, now, inbox);
  transition.epoch = services.store->epoch();
  if (known->has_value()) {
    transition.keys.clear();  // of the first one with this id
  }
  auto committed = co_await services.store->commit(ctx, std::move(transition));
  if (!committed.ok()) {
    co_return std::move(committed).error();
  }
  count("dead_letter").add();
  warn_dead_letter(ctx, inbox);
  co_return inbox.accepted;
}

/// The event itself is kept nowhere, so the leaf says only what it was, whose key sent it and who
/// decided; without room in the store it is refused all the same, and the next leaf stands for it
/// too.
Task<void> Ingress::Impl::record_refusal(Context ctx, const Event* event,
                                         govern::Decision decision) {
  runtime::Executor* executor = runtime::Executor::current();
  const std::string source(excerpt(event->source, refused_source_characters_max));
  const auto told = refusals.add(ctx.tenant, source, executor->clock().instant());
  if (told.count == 0) {
    co_return;
  }
  govern::LeafFacts leaf(govern::LeafKind::event);
  leaf.outcome = "refused";
  if (!services.engine->triggered_by(ctx.tenant, event->type).empty()) {
    leaf.facts["type"] = event->type;  // any other is a stranger's text, and a leaf stays for ever
  }
  if (told.count > 1) {
    leaf.facts["count"] = told.count;
  }
  if (told.shared) {
    leaf.facts["sources"] = "many";
  }
  leaf.decisions.push_back(std::move(decision));
  store::Transition transition;
  transition.tenant = ctx.tenant;
  transition.epoch = services.store->epoch();
  transition.leaves.push_back(govern::make_leaf(ctx, executor->clock().now(), leaf));
  auto committed = co_await services.store->commit(ctx, std::move(transition));
  if (!committed.ok()) {
    refusals.put_back(ctx.tenant, source, told.count);
  }
}

Task<Result<Accepted>> Ingress::Impl::start_run(Context ctx, Inbox inbox, std::string workflow,
                                                Time now) {
  JsonArray input;
  input.emplace_back(inbox.event->envelope);
  workflow::StartRequest request;
  request.workflow = std::move(workflow);
  request.input = std::move(input);
  request.subject = inbox.event->subject;
  request.run_id = inbox.accepted.run;
  request.with = inbox_transition(ctx, now, inbox);
  auto started = co_await services.engine->start(ctx, std::move(request));
  if (!started.ok()) {
    co_return std::move(started).error();
  }
  count("accepted").add();
  co_return inbox.accepted;
}

Task<Result<Accepted>> Ingress::accept(Context ctx, Event event, std::size_t bytes) {
  if (impl_->services.held) {
    if (auto why = impl_->services.held(ctx.tenant)) {
      impl_->count("held").add();
      co_return *std::move(why);
    }
  }
  auto ruling =
      impl_->services.guard->ask(ctx, govern::GuardPoint::event_admit, admit_facts(event, bytes));
  if (!ruling.allowed()) {
    impl_->count("refused").add();
    co_await impl_->record_refusal(ctx, &event, ruling.decision);
    co_return ruling.to_error();
  }
  const std::string digest = content_digest(event);
  runtime::Executor* executor = runtime::Executor::current();
  const Time now = executor->clock().now();
  Inbox inbox;
  inbox.event = &event;
  inbox.digest = digest;
  inbox.decision = ruling.decision;
  inbox.accepted.id = runtime::new_id("evt", executor->clock(), executor->random());
  inbox.accepted.status = "accepted";

  const auto triggered = impl_->services.engine->triggered_by(ctx.tenant, event.type);
  inbox.type_known = !triggered.empty();
  Result<Accepted> answer = Error(Code::internal, "not decided");
  if (triggered.empty()) {
    inbox.accepted.reason = fmt::format("no workflow is triggered by type '{}'", event.type);
    answer = co_await impl_->dead_letter(ctx, inbox, now);
  } else {
    inbox.accepted.run = runtime::new_id("run", executor->clock(), executor->random());
    const std::string workflow =
        triggered.front().workflow_namespace + "/" + triggered.front().name;
    answer = co_await impl_->start_run(ctx, inbox, workflow, now);
    if (!answer.ok() && answer.error().code() == Code::invalid_argument) {
      inbox.accepted.reason = answer.error().text();
      answer = co_await impl_->dead_letter(ctx, inbox, now);
    }
  }
  if (!answer.ok() && answer.error().code() == Code::already_exists) {
    answer = co_await impl_->again(ctx, event, digest);
  }
  co_return answer;
}

Task<Result<std::vector<store::StreamRow>>> Ingress::list(Context ctx, std::string status,
                                                          std::string after, std::uint32_t limit) {
  store::ListQuery query;
  query.tenant = ctx.tenant;
  query.kind = store::StreamKind::event;
  query.status = std::move(status);
  query.after = std::move(after);
  query.limit = limit;
  query.newest_first = true;
  auto rows = co_await impl_->services.store->list(ctx, std::move(query));
  co_return rows;
}

Task<Result<Json>> Ingress::get(Context ctx, std::string id) {
  auto row = co_await impl_->services.store->stream(ctx, store::StreamKind::event, id);
  if (!row.ok()) {
    co_return std::move(row).error();
  }
  if (row->erased) {
    JsonObject gone;
    gone["id"] = id;
    gone["status"] = row->status;
    gone["erased"] = true;
    co_return Json(std::move(gone));
  }
  auto state = parse_json(row->state);
  if (!state.ok()) {
    co_return std::move(state).error();
  }
  JsonObject out = state->get_object();
  out["id"] = id;
  show_payload(out);
  co_return Json(std::move(out));
}

}  // namespace aios::ingress
