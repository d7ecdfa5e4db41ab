// SPDX-License-Identifier: Apache-2.0
// One run's way through the world: turns of the machine, and a commit at each fence.
#include "workflow/detail/engine_impl.h"

#include "core/text.h"
#include "govern/audit.h"
#include "govern/opening.h"
#include "review/review.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace aios::workflow {
namespace {

constexpr Duration secret_line_period = std::chrono::minutes(1);

/// The page that an error's text names, as "AIOS-0906"; empty: none.
std::string_view page_in(std::string_view text) {
  constexpr std::string_view opening = "[AIOS-";
  constexpr std::size_t digits = 4;
  const auto at = text.rfind(opening);
  const auto number =
      at == std::string_view::npos ? std::string_view() : text.substr(at + opening.size(), digits);
  const bool found =
      number.size() == digits && number.find_first_not_of("0123456789") == std::string_view::npos;
  return found ? text.substr(at + 1, opening.size() - 1 + digits) : std::string_view();
}

/// It was opened a moment ago and is not committed yet: it is closed with the same write.
bool close_unsaved_review(LiveRun& run, const std::string& review) {
  for (auto& pending : run.writes) {
    if (pending.kind == store::StreamKind::review && pending.id == review) {
      pending.status = "cancelled";
      pending.end = store::StreamEnd::closed;
      return true;
    }
  }
  return false;
}

/// Into the text of an object: sealed with the run, so that erasing its subject closes what its
/// leaves commit to.
void append_openings(const std::vector<store::AuditLeaf>& leaves, std::string* object) {
  bool any = false;
  for (const auto& leaf : leaves) {
    if (leaf.salt.empty()) {
      continue;
    }
    if (any) {
      object->push_back(',');
    } else {
      object->pop_back();
      *object += object->size() > 1 ? ",\"openings\":[" : "\"openings\":[";
    }
    any = true;
    govern::append_opening(leaf, object);
  }
  *object += any ? "]}" : "";
}

void note_text(LiveRun& run, RunEvent type, std::string text) {
  store::HistoryEvent event;
  event.type = static_cast<std::uint16_t>(type);
  event.time = run.shard->executor.clock().now();
  event.data = {run.state.subject, std::move(text)};
  run.history.push_back(std::move(event));
}

}  // namespace

std::string_view name_of(RunEvent type) {
  switch (type) {
    case RunEvent::started: return "started";
    case RunEvent::checkpoint: return "checkpoint";
    case RunEvent::effect_intended: return "effect_intended";
    case RunEvent::effect_result: return "effect_result";
    case RunEvent::parked: return "parked";
    case RunEvent::resumed: return "resumed";
    case RunEvent::completed: return "completed";
    case RunEvent::faulted: return "faulted";
    case RunEvent::cancelled: return "cancelled";
    case RunEvent::effect_refused: return "effect_refused";
    case RunEvent::incident: return "incident";
    case RunEvent::incident_resolved: return "incident_resolved";
    case RunEvent::review_overdue: return "review_overdue";
    case RunEvent::review_escalated: return "review_escalated";
    case RunEvent::review_proposed: return "review_proposed";
    case RunEvent::review_sent_back: return "review_sent_back";
    case RunEvent::review_assigned: return "review_assigned";
    case RunEvent::retried: return "retried";
    case RunEvent::children_started: return "children_started";
    case RunEvent::children_ended: return "children_ended";
    case RunEvent::event_received: return "event_received";
  }
  return "unknown";
}

void Engine::Impl::note(LiveRun& run, RunEvent type, JsonObject data) {
  note_text(run, type, to_text(Json(std::move(data))));
}

void Engine::Impl::note_fence(LiveRun& run, RunEvent type, JsonObject data) {
  if (!run.log.path.empty()) {
    data["path"] = texts(run.log.path);
    if (run.log.path_dropped != 0) {
      data["path_dropped"] = run.log.path_dropped;
    }
    run.log.path.clear();
    run.log.path_dropped = 0;
  }
  std::string text = to_text(Json(std::move(data)));
  append_openings(run.leaves, &text);
  note_text(run, type, std::move(text));
}

Task<void> Engine::Impl::begin(RunPtr run) {
  const bool fresh = run->shard->runs.emplace(run->id, run).second;
  if (!fresh) {
    pass_turn(run->id);
    run->ack->set(Error(Code::already_exists, fmt::format("there is a run '{}'", run->id)));
    co_return;
  }
  note(*run, RunEvent::started,
       {{"workflow", run->state.workflow}, {"version", run->state.version}});
  machine(*run).begin();
  wait_for_turn(*run);
  if (metrics.started != nullptr) {
    metrics.started->add();
  }
  co_await drive(run);
}

Task<void> Engine::Impl::drive(RunPtr run) {
  bool more = true;
  while (more) {
    more = co_await turn(run);
  }
  if (run->ack) {
    run->ack->set(Error(Code::unavailable, "the engine is stopping", Retry::same_call).page(1015));
    run->ack.reset();
  }
  release(run);
}

/// A run goes beyond what answers its caller only with a place; without one it waits in the store
/// for its turn, as after a restart.
bool Engine::Impl::has_place(LiveRun& run) {
  if (!run.place) {
    run.place = places.take_fresh(run.ctx.tenant);
  }
  return static_cast<bool>(run.place);
}

/// One stretch up to a fence. False: the run parked, ended, was lost, has no place, or the engine
/// stops.
Task<bool> Engine::Impl::turn(RunPtr run) {
  if (run->cancel_requested && !run->state.ended()) {
    cancel_now(*run);
  }
  if (run->state.children) {
    const bool more = co_await await_children(run);
    co_return more;
  }
  if (run->listens()) {
    const bool taken = co_await take_kept(run);
    (void)taken;
  }
  note_unknown(*run);
  auto pause = machine(*run).advance();
  co_await close_abandoned_reviews(run);
  if (pause == Pause::ended && hold_end(*run)) {
    pause = Pause::wait;
  }
  if (pause == Pause::spawn) {
    const bool more = co_await start_children(run);
    co_return more;
  }
  if (pause == Pause::ended) {
    const bool again = co_await save_end(run);
    co_return again;
  }
  if (pause == Pause::wait) {
    auto listed = Saved::durable;
    if (run->log.listen) {
      listed = co_await enlist(run);
    }
    if (listed != Saved::durable) {
      co_return listed == Saved::faulted;
    }
    look_later(*run);
    const auto saved = co_await park(run);
    if (saved != Saved::durable || !run->listens()) {
      co_return saved == Saved::faulted || (saved == Saved::durable && run->state.children);
    }
    const bool taken = co_await take_kept(run);  // what came before it waited
    co_return taken;
  }
  const bool later = pause == Pause::call && !stopping && !has_place(*run);
  if (pause == Pause::yielded || stopping || later || crowded(*run)) {
    const auto saved = co_await checkpoint(run);
    if (saved == Saved::lost || (saved == Saved::durable && (stopping || later))) {
      run->woken = run->woken || later;
      co_return false;
    }
    co_await runtime::yield();
    co_return true;
  }
  const auto next = co_await call(run);
  co_return next == Next::advance;
}

/// True: the end was refused by the store, and the run ends in another way.
Task<bool> Engine::Impl::save_end(RunPtr run) {
  if (!seal(*run) && !seal(*run)) {  // what was large is gone the second time
    strip(*run);
  }
  end_history(*run);
  const auto saved = co_await commit(run);
  if (saved == Saved::durable) {
    metrics.ended(run->state.status);
    warn_ended(*run);
    end_waiters.tell(run->id);
    wake_parent(*run);
  }
  co_return saved == Saved::faulted;
}

Task<Saved> Engine::Impl::checkpoint(RunPtr run) {
  if (!seal(*run)) {
    co_return Saved::faulted;
  }
  note_fence(*run, RunEvent::checkpoint, {});
  const auto saved = co_await commit(run);
  co_return saved;
}

Task<Saved> Engine::Impl::park(RunPtr run) {
  run->state.status = RunStatus::waiting;
  const auto clock_now = timers->setting();
  if (!seal(*run)) {
    co_return Saved::faulted;
  }
  const auto& waiting = *run->state.waiting;
  JsonObject data{{"reason", name_of(waiting.reason)}};
  if (waiting.wake_at) {
    data["wake_at"] = to_rfc3339(*waiting.wake_at);
  }
  if (!waiting.subject.empty()) {
    data["subject"] = waiting.subject;
  }
  note_fence(*run, RunEvent::parked, std::move(data));
  const auto saved = co_await commit(run);
  if (saved != Saved::durable) {
    run->held_up_by.clear();
    co_return saved;
  }
  park_for_peer(*run);
  if (const auto at = next_wake(run->state); at) {
    timers->add(run->ctx.tenant, run->id, *at, clock_now);
  }
  warn_incident(*run);
  warn_secret(*run);
  co_return saved;
}

/// Texts of an error may hold a run's data: the log gets its kind, its place and its page.
void Engine::Impl::warn_ended(const LiveRun& run) const {
  const auto& state = run.state;
  if (services.log == nullptr || state.status != RunStatus::faulted) {
    return;
  }
  services.log->write(observe::Level::warn, "workflow", "a run faulted",
                      {{"run", run.id},
                       {"workflow", state.workflow},
                       {"version", state.version},
                       {"step", text_or(state.error, "instance", "")},
                       {"error_type", text_or(state.error, "type", "")},
                       {"status", int_or(state.error, "status", 0)},
                       {"page", page_in(text_or(state.error, "detail", ""))}},
                      &run.ctx);
}

void Engine::Impl::warn_incident(const LiveRun& run) const {
  const auto& state = run.state;
  if (services.log == nullptr || !state.effect ||
      state.waiting->reason != Waiting::Reason::incident) {
    return;
  }
  services.log->write(observe::Level::warn, "workflow", "a run waits for a person: incident",
                      {{"run", run.id},
                       {"workflow", state.workflow},
                       {"version", state.version},
                       {"incident", state.waiting->subject},
                       {"step", state.effect->step},
                       {"function", state.effect->function},
                       {"effect", state.effect->id},
                       {"page", page_in(state.waiting->error)}},
                      &run.ctx);
}

/// Every run that calls the system meets it: one line a minute is enough.
void Engine::Impl::warn_secret(const LiveRun& run) {
  const auto& state = run.state;
  if (services.log == nullptr || !state.effect || page_in(state.waiting->error) != secret_page) {
    return;
  }
  const auto now = clock(run).instant().ns;
  auto told = secret_told_ns.load();
  if ((told != 0 && now - told < secret_line_period.count()) ||
      !secret_told_ns.compare_exchange_strong(told, now)) {
    return;
  }
  services.log->write(
      observe::Level::warn, "workflow",
      "a system does not take its secret: runs wait until it is replaced",
      {{"run", run.id},
       {"workflow", state.workflow},
       {"step", state.effect->step},
       {"connector", text_or(state.effect->arguments, "connector", state.effect->origin)},
       {"page", secret_page}},
      &run.ctx);
}

void Engine::Impl::end_history(LiveRun& run) {
  const auto& state = run.state;
  JsonObject data;
  auto type = RunEvent::completed;
  if (state.status == RunStatus::faulted) {
    type = RunEvent::faulted;
    data["error"] = state.error;
  } else if (state.status == RunStatus::cancelled) {
    type = RunEvent::cancelled;
    data["reason"] = state.cancel_reason;
  }
  govern::LeafFacts facts(govern::LeafKind::run);
  facts.stream = run.id;
  facts.outcome = std::string(name_of(state.status));
  facts.facts.reserve(3);
  facts.facts["workflow"] = state.workflow;
  facts.facts["version"] = state.version;
  if (!state.starter.empty()) {
    facts.facts["starter"] = state.starter;
  }
  facts.contents["payload"] = govern::content_of(state.output);
  run.leaves.push_back(govern::make_leaf(run.ctx, clock(run).now(), facts));
  note_fence(run, type, std::move(data));
}

Task<void> Engine::Impl::close_abandoned_reviews(RunPtr run) {
  if (run->log.abandoned_reviews.empty() || services.functions.reviews == nullptr) {
    co_return;
  }
  const auto reviews = std::exchange(run->log.abandoned_reviews, {});
  Context ctx = run->ctx;
  ctx.cancel = nullptr;  // the run may just have been cancelled; its question goes all the same
  for (const auto& review : reviews) {
    if (close_unsaved_review(*run, review)) {
      continue;
    }
    auto write = co_await services.functions.reviews->prepare_cancel(ctx, review);
    if (write.ok()) {
      run->writes.push_back(std::move(*write));
    } else if (services.log != nullptr) {
      const auto error = std::move(write).error().with(
          fmt::format("closing review {} of run {}", review, run->id));
      services.log->error("workflow", error, &ctx);
    }
  }
}

}  // namespace aios::workflow
