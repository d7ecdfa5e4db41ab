// SPDX-License-Identifier: Apache-2.0
// How an event comes in: admission, deduplication, the start of a run.
#include "ingress/detail/ingress_impl.h"

#include "core/crypto.h"
#include "core/text.h"
#include "govern/audit.h"
#include "govern/event_facts.h"
#include "ingress/sources.h"
#include "ingress/waiting_runs.h"
#include "workflow/task_kind.h"

#include <fmt/format.h>

#include <utility>

namespace aios::ingress {
namespace {

constexpr Duration dead_letter_line_period = std::chrono::seconds(10);
constexpr int page_other_content = 1203;
constexpr std::size_t logged_type_characters_max = 100;
/// An event that is replayed and not taken again, over and over: so far it is followed.
constexpr int replays_told_max = 10;

JsonObject admit_facts(const Delivery& delivery) {
  const Event& event = delivery.event;
  return govern::event_admit_facts({.type = event.type,
                                    .source = event.source,
                                    .subject = event.subject,
                                    .via = delivery.source,
                                    .size_bytes = delivery.bytes});
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

}  // namespace

// All are at 0 from the start: the first one after it is an increase.
Ingress::Impl::Impl(IngressServices given) : services(std::move(given)), room(services) {
  for (const auto* outcome :
       {"accepted", "repeated", "dead_letter", "refused", "conflict", "held", "no_room"}) {
    counters.emplace(outcome,
                     &services.metrics->counter(observe::metric("aios_events"), {outcome}));
  }
}

std::uint64_t DeadLetterLines::add(Instant now) {
  const std::lock_guard lock(mutex_);
  ++untold_;
  if (told_at_ && now - *told_at_ < dead_letter_line_period) {
    return 0;
  }
  told_at_ = now;
  return std::exchange(untold_, 0);
}

/// The declared source whose events alone have this `source`.
std::optional<std::string> Ingress::Impl::owner_of(const TenantId& tenant,
                                                   std::string_view source) const {
  if (services.sources == nullptr) {
    return std::nullopt;
  }
  for (const SourcePtr& declared : services.sources->of_tenant(tenant)) {
    if (declared->owned == source) {
      return declared->name;
    }
  }
  return std::nullopt;
}

Ingress::Ingress(IngressServices services) : impl_(std::make_unique<Impl>(std::move(services))) {}
Ingress::~Ingress() = default;

/// The key is taken: the first answer again when the content is the same.
Task<Result<Accepted>> Ingress::Impl::again(Context ctx, std::string space, std::string id,
                                            std::string digest) {
  store::KeyClaim claim;
  claim.space = std::move(space);
  claim.key = id;
  claim.request_digest = std::move(digest);
  auto record = co_await services.store->key(ctx, std::move(claim));
  if (!record.ok()) {
    co_return std::move(record).error();
  }
  if (!record->has_value()) {
    co_return Error(Code::aborted, "the event's key changed while it was read", Retry::same_call);
  }
  if (!(*record)->same_request) {
    co_return Error(Code::already_exists,
                    fmt::format("event '{}' of this source was taken before with other content",
                                excerpt(id, 80)))
        .page(page_other_content);
  }
  count("repeated").add();
  auto answer = answer_from((*record)->value);
  co_await tell_fate(ctx, &answer);
  co_return answer;
}

/// Of what was kept for runs that listen: which took it, or why none did, and what became of it
/// when it was replayed then.
Task<void> Ingress::Impl::tell_fate(Context ctx, Accepted* accepted) {
  std::string id = accepted->id;
  for (int replays = 0; replays <= replays_told_max; ++replays) {
    auto fate = co_await services.engine->fate(ctx, id);
    if (!fate.ok()) {
      co_return;  // it was not kept
    }
    accepted->delivered = fate->run;
    if (!accepted->run.empty() || fate->reason.empty()) {
      co_return;
    }
    auto entry = co_await services.store->stream(ctx, store::StreamKind::event, id);
    const bool replayed = entry.ok() && entry->status == "replayed" && !entry->erased;
    const auto state = replayed ? parse_json(entry->state) : Result<Json>(Json());
    id = state.ok() ? text_or(*state, "replayed_as", "") : "";
    if (id.empty()) {
      accepted->reason = fate->reason;
      accepted->status = "dead_letter";
      co_return;
    }
    accepted->run = text_or(*state, "run", "");
  }
}

/// Of what no workflow takes: whether no run listens for it either. One that a workflow refuses is
/// mended and sent again, so it waits for nobody who does not wait now.
Task<Result<bool>> Ingress::Impl::nobody_takes(Context ctx, const Inbox* inbox) {
  const Event& event = inbox->delivery->event;
  if (!inbox->listened || inbox->workflow.empty()) {
    co_return !inbox->listened;
  }
  Json envelope(event.envelope);
  auto awaited = co_await services.engine->awaited(ctx, std::move(envelope));
  if (!awaited.ok()) {
    co_return std::move(awaited).error();
  }
  co_return !*awaited;
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
                       {"type", excerpt(inbox.delivery->event.type, logged_type_characters_max)},
                       {"count", count}},
                      &ctx);
}

Task<Result<Accepted>> Ingress::Impl::dead_letter(Context ctx, Inbox inbox, Time now) {
  inbox.accepted.status = "dead_letter";
  inbox.accepted.run.clear();
  const std::string& id = inbox.delivery->event.id;
  store::KeyClaim claim{event_space(*inbox.delivery), id, inbox.digest, ""};
  auto taken = co_await services.store->key(ctx, std::move(claim));
  if (!taken.ok() || (taken->has_value() && !inbox.conflict)) {
    co_return taken.ok() ? Error(Code::already_exists, "the id was taken") : taken.error();
  }
  claim = dead_key(inbox);
  auto known = co_await services.store->key(ctx, std::move(claim));
  if (!known.ok()) {
    co_return std::move(known).error();
  }
  if (known->has_value() && (*known)->same_request) {
    count("repeated").add();
    co_return answer_from((*known)->value);
  }
  const Json envelope(inbox.delivery->event.envelope);
  auto transition = inbox_transition(ctx, now, inbox, envelope);
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

Task<Result<Accepted>> Ingress::Impl::start_run(Context ctx, const Inbox* inbox, Time now) {
  const Event& event = inbox->delivery->event;
  JsonArray input;
  input.emplace_back(event.envelope);
  workflow::StartRequest request;
  request.workflow = inbox->workflow;
  request.with = inbox_transition(ctx, now, *inbox, input.front());
  request.input = std::move(input);
  request.subject = event.subject;
  request.run_id = inbox->accepted.run;
  request.order_key = text_or(event.envelope, "partitionkey", "");
  auto started = co_await services.engine->start(ctx, std::move(request));
  if (!started.ok()) {
    co_return std::move(started).error();
  }
  count("accepted").add();
  co_return inbox->accepted;
}

/// Starts what the type triggers. @return invalid_argument where nothing is started for good: why
Task<Result<Accepted>> Ingress::Impl::start_one(Context ctx, Inbox* inbox, Time now) {
  if (inbox->workflow.empty()) {
    co_return Error(Code::invalid_argument, fmt::format("no workflow is triggered by type '{}'",
                                                        inbox->delivery->event.type));
  }
  inbox->accepted.run = runtime::new_id("run", runtime::Executor::current()->clock(),
                                        runtime::Executor::current()->random());
  auto started = co_await start_run(ctx, inbox, now);
  if (!started.ok()) {
    inbox->accepted.run.clear();  // there is none
  }
  if (!started.ok() && started.error().code() == Code::unavailable && started.error().page() == 0) {
    co_return std::move(started).error().page(1207);  // no room in the lines of ordered runs
  }
  co_return started;
}

/// What it starts today, by what it is, and whether a run waits for it; a dead letter where neither
/// is so.
Task<Result<Accepted>> Ingress::Impl::decide(Context ctx, Inbox inbox, Time now) {
  const Event& event = inbox.delivery->event;
  auto listened = co_await services.engine->listens(ctx, event.type);
  if (!listened.ok()) {
    co_return std::move(listened).error();
  }
  const auto triggered = services.engine->triggered_by(ctx.tenant, event.type);
  if (!triggered.empty()) {
    inbox.workflow = triggered.front().workflow_namespace + "/" + triggered.front().name;
  }
  inbox.type_known = *listened || !inbox.workflow.empty();
  if (!inbox.delivery->unfit.empty()) {
    inbox.accepted.reason = inbox.delivery->unfit;
    auto kept = co_await keep_dead(ctx, std::move(inbox), now);
    co_return kept;
  }
  inbox.listened = *listened;
  auto answer = co_await start_one(ctx, &inbox, now);
  const bool open = !answer.ok() && answer.error().code() == Code::invalid_argument;
  auto dead = Result<bool>(false);
  if (open) {
    dead = co_await nobody_takes(ctx, &inbox);
  }
  if (!dead.ok()) {
    co_return std::move(dead).error();
  }
  if (*dead) {
    inbox.accepted.reason = answer.error().text();
    auto kept = co_await keep_dead(ctx, std::move(inbox), now);
    co_return kept;
  }
  if (open) {  // nothing starts, but a run may wait for it
    const Json envelope(event.envelope);
    auto transition = inbox_transition(ctx, now, inbox, envelope);
    answer = co_await take_in(services, ctx, std::move(transition), inbox.accepted);
  }
  if (inbox.listened && answer.ok() && !answer->repeated) {
    count("accepted").add(open ? 1 : 0);
    answer->delivered = co_await give_to_waiting(services, ctx, answer->id, event.envelope);
  }
  co_return answer;
}

Task<Result<Accepted>> Ingress::Impl::keep_dead(Context ctx, Inbox inbox, Time now) {
  if (inbox.replayed) {
    co_return still_dead(inbox.replayed->id, inbox.accepted.reason);
  }
  auto kept = co_await dead_letter(ctx, std::move(inbox), now);
  co_return kept;
}

/// The id is there. What came by a declared source, whose sender nobody asks to send it anew, is
/// kept with the reason where its content is another; who sends by the API is told.
Task<Result<Accepted>> Ingress::Impl::taken_before(Context ctx, Inbox inbox, Time now) {
  const Delivery& delivery = *inbox.delivery;
  std::string space = event_space(delivery);
  std::string id = delivery.event.id;
  std::string digest = inbox.digest;
  auto answer = co_await again(ctx, std::move(space), std::move(id), std::move(digest));
  if (answer.ok() || answer.error().page() != page_other_content) {
    co_return answer;
  }
  if (delivery.source.empty() && !inbox.replayed) {
    count("conflict").add();
    co_return answer;
  }
  inbox.conflict = true;
  inbox.type_known = !services.engine->triggered_by(ctx.tenant, delivery.event.type).empty();
  inbox.accepted.reason = answer.error().text();
  auto kept = co_await keep_dead(ctx, std::move(inbox), now);
  if (!kept.ok() && kept.error().code() == Code::already_exists) {
    co_return Error(Code::aborted, "the same event was kept at this moment", Retry::same_call);
  }
  co_return kept;
}

Task<Result<Accepted>> Ingress::Impl::admit(Context ctx, Delivery delivery,
                                            std::optional<Replayed> replayed) {
  if (services.held) {
    if (auto why = services.held(ctx.tenant)) {
      count("held").add();
      co_return *std::move(why);
    }
  }
  auto full = co_await room.full(ctx, delivery.bytes);
  if (full) {
    count("no_room").add();
    co_return *std::move(full);
  }
  if (!delivery.emitted) {  // how many runs started one another is nobody's to say but ours
    delivery.event.envelope.erase(workflow::hops_attribute);
  }
  Inbox inbox;
  inbox.delivery = &delivery;
  inbox.replayed = std::move(replayed);
  const Event& event = delivery.event;
  if (!delivery.unmapped) {
    auto ruling = services.guard->ask(ctx, govern::GuardPoint::event_admit, admit_facts(delivery));
    if (!ruling.allowed()) {
      count("refused").add();
      Refused refused;
      refused.source = event.source;
      refused.by = delivery.source;
      const bool known = !services.engine->triggered_by(ctx.tenant, event.type).empty();
      refused.type = known ? event.type : "";  // any other is a stranger's, and a leaf stays
      refused.decision = ruling.decision;
      co_await record_refusal(ctx, std::move(refused));
      co_return ruling.to_error();
    }
    inbox.decision = ruling.decision;
  }
  inbox.digest = delivery.digest.empty() ? content_digest(event) : delivery.digest;
  runtime::Executor* executor = runtime::Executor::current();
  const Time now = executor->clock().now();
  inbox.accepted.id = runtime::new_id("evt", executor->clock(), executor->random());
  inbox.accepted.status = "accepted";
  auto answer = co_await decide(ctx, inbox, now);
  if (!answer.ok() && answer.error().code() == Code::already_exists) {
    answer = co_await taken_before(ctx, std::move(inbox), now);
  }
  co_return answer;
}

Task<Result<Accepted>> Ingress::accept(Context ctx, Event event, std::size_t bytes) {
  if (const auto owner = impl_->owner_of(ctx.tenant, event.source)) {
    impl_->count("refused").add();
    Refused refused;
    refused.source = event.source;
    refused.why = "source";
    co_await impl_->record_refusal(ctx, std::move(refused));
    co_return Error(Code::permission_denied,
                    fmt::format("source '{}' is that of '{}', which the bundle declares: only what "
                                "comes by it has that source, wanted another one",
                                excerpt(event.source, 80), *owner))
        .page(1214);
  }
  Delivery delivery;
  delivery.event = std::move(event);
  delivery.bytes = bytes;
  auto accepted = co_await impl_->admit(std::move(ctx), std::move(delivery), std::nullopt);
  co_return accepted;
}

Task<Result<Accepted>> Ingress::accept(Context ctx, Delivery delivery) {
  auto accepted = co_await impl_->admit(std::move(ctx), std::move(delivery), std::nullopt);
  co_return accepted;
}

Task<Result<Accepted>> Ingress::receive(Context ctx, SourcePtr source, Arrival arrival) {
  const Time now = runtime::Executor::current()->clock().now();
  auto delivery = delivery_of(*source, std::move(arrival), now);
  auto accepted = co_await impl_->admit(std::move(ctx), std::move(delivery), std::nullopt);
  co_return accepted;
}

}  // namespace aios::ingress
