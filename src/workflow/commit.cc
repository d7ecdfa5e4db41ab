// SPDX-License-Identifier: Apache-2.0
// What leaves with a fence: the run's state, its history, its leaves and its events, in one
// transition that the store takes whole. What does not fit faults the run before anything is said
// to be done.
#include "workflow/detail/engine_impl.h"
#include "workflow/detail/payments.h"

#include "core/text.h"
#include "store/label.h"
#include "workflow/detail/listener.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace aios::workflow {
namespace {

/// The store takes 4 MiB and 256 items of a kind in a transition. The rest is for what is added
/// between two looks at them: a start's own event, the leaves of one call.
constexpr std::size_t state_bytes_max = std::size_t{3} << 20;
constexpr std::size_t items_max = 200;
constexpr std::size_t streams_max = 32;
constexpr std::size_t item_bytes_max = std::size_t{256} << 10;
constexpr std::size_t callback_output_bytes_max = std::size_t{384} << 10;
constexpr std::uint32_t refusals_max = 2;

Problem too_large(std::size_t found) {
  return make_problem(ProblemType::runtime,
                      fmt::format("the run's data take {} bytes, at most {} are kept [AIOS-1032]",
                                  found, state_bytes_max),
                      "/");
}

Problem refused(const Error& error) {
  return make_problem(
      ProblemType::runtime,
      fmt::format("what the run would save is more than one commit holds: {} [AIOS-1032]",
                  error.text().substr(0, 1'000)),
      "/");
}

/// With what opens it: the fence's line holds that.
std::size_t bytes_of(const store::AuditLeaf& leaf) {
  return leaf.bytes.size() + leaf.salt.size() + leaf.contents.size();
}

std::size_t bytes_of(const LiveRun& run) {
  std::size_t bytes = run.log.event_bytes;
  for (const auto& leaf : run.leaves) {
    bytes += bytes_of(leaf);
  }
  for (const auto& event : run.history) {
    bytes += event.data.bytes.size();
  }
  return bytes;
}

/// Their index is told of them once they are durable.
std::vector<store::StreamWrite> reviews_in(const store::Transition& transition) {
  std::vector<store::StreamWrite> out;
  for (const auto& write : transition.streams) {
    if (write.kind == store::StreamKind::review) {
      out.push_back(write);
    }
  }
  return out;
}

void notify(review::Reviews* reviews, const TenantId& tenant,
            const std::vector<store::StreamWrite>& writes, Saved saved) {
  if (reviews == nullptr || writes.empty()) {
    return;
  }
  if (saved == Saved::durable) {
    reviews->saved(tenant, writes);
  } else if (saved == Saved::lost) {
    reviews->doubt(tenant);
  }
}

/// What leaves when the run has ended: who is told, and the outcome as a CloudEvent.
std::string callback_message(const LiveRun& run, Time now) {
  const RunState& state = run.state;
  const std::string status(name_of(state.status));
  JsonObject data;
  data["task"] = run.id;
  data["workflow"] = state.workflow;
  data["status"] = status;
  data["created"] = to_rfc3339(state.created);
  data["ended"] = to_rfc3339(now);
  if (state.status == RunStatus::completed) {
    const std::size_t bytes = to_text(state.output).size();
    if (bytes <= callback_output_bytes_max) {
      data["output"] = state.output;
    } else {  // whoever is told can ask for it
      data["output_omitted_bytes"] = bytes;
    }
  } else if (state.status == RunStatus::faulted) {
    data["error"] = state.error;
  } else {
    data["reason"] = state.cancel_reason;
  }
  JsonArray open;  // what a person gave up without knowing whether it happened
  for (const auto& one : state.open_effects.unknown()) {
    open.emplace_back(JsonObject{{"step", one.step}, {"effect", one.id}});
  }
  if (!open.empty()) {
    data["open_effects"] = std::move(open);
  }
  JsonObject event;
  event["specversion"] = "1.0";
  event["id"] = fmt::format("{}.ended.{}", run.id, run.version + 1);  // tried again, it ends again
  event["source"] = fmt::format("/{}/{}", state.workflow, state.version);
  event["type"] = "aios.task." + status;
  event["subject"] = run.id;
  event["time"] = to_rfc3339(now);
  event["datacontenttype"] = "application/json";
  event["data"] = std::move(data);
  JsonObject message = state.callback.get_object();
  message["subject"] = state.subject;
  message["envelope"] = std::move(event);
  return to_text(Json(std::move(message)));
}

/// As many from the front as a commit has room for.
template <class T, class Size>
void keep_front(std::vector<T>& items, Size size) {
  std::size_t bytes = 0;
  std::size_t count = 0;
  while (count < items.size() && count < items_max &&
         bytes + size(items[count]) <= item_bytes_max) {
    bytes += size(items[count++]);
  }
  items.resize(count);
}

}  // namespace

/// So much is waiting for the next commit that it has to be made now.
bool Engine::Impl::crowded(const LiveRun& run) const {
  return run.log.events.size() >= items_max || run.leaves.size() >= items_max ||
         run.history.size() >= items_max || run.writes.size() >= streams_max ||
         run.budgets.size() >= items_max || bytes_of(run) >= item_bytes_max;
}

/// Ends a run that cannot be saved as it is, and drops what made it large. What it opened and
/// nobody has seen yet is not opened.
void Engine::Impl::overflow(LiveRun& run, const Problem& problem) {
  auto& state = run.state;
  if (state.waiting && state.waiting->reason == Waiting::Reason::incident) {
    const auto id = state.waiting->subject;
    const auto fresh = std::erase_if(run.writes, [&](const store::StreamWrite& write) {
      return write.id == id && write.expected_version == 0;
    });
    if (fresh == 0) {
      close_incident(run, "faulted", run.ctx);
    }
  }
  machine(run).overflow(problem);
  state.frames.clear();
  state.faulted_at.reset();
  state.left.reset();
  std::erase_if(run.writes, [&](const store::StreamWrite& write) {
    const bool listener = write.kind == store::StreamKind::listener && write.expected_version == 0;
    return (listener && std::erase(run.log.ended_listeners, write.id) != 0) ||
           (write.kind == store::StreamKind::run && write.expected_version == 0);
  });
  auto& reviews = run.log.abandoned_reviews;
  std::erase_if(run.writes, [&](const store::StreamWrite& write) {
    return write.kind == store::StreamKind::review && write.expected_version == 0 &&
           std::erase(reviews, write.id) != 0;
  });
  run.attributes_fixed = true;
  state.input = nullptr;
  state.context = nullptr;
  state.output = nullptr;
  forget_memory(state);
  if (to_text(state.raw_input).size() > state_bytes_max / 2) {
    state.raw_input = nullptr;
  }
  if (state.cancel_reason.size() > item_bytes_max) {
    state.cancel_reason = "(too long to be kept)";
  }
  state.open_effects.shed(item_bytes_max);  // what became of them is asked all the same
}

/// What every run has, and why it ended: so much always fits.
void Engine::Impl::strip(LiveRun& run) {
  auto& state = run.state;
  RunState bare;
  bare.workflow = std::move(state.workflow);
  bare.version = std::move(state.version);
  bare.digest = std::move(state.digest);
  bare.definition_blob = std::move(state.definition_blob);
  bare.subject = std::move(state.subject);
  bare.traceparent = std::move(state.traceparent);
  bare.starter = std::move(state.starter);
  bare.labels = state.labels;
  bare.status = state.status;
  bare.created = state.created;
  bare.costs = std::move(state.costs);
  bare.parent = std::move(state.parent);
  bare.steps = state.steps;
  bare.callback = std::move(state.callback);
  bare.attributes = std::move(state.attributes);
  bare.indexed = std::move(state.indexed);
  state.open_effects.shed(item_bytes_max);
  bare.open_effects = std::move(state.open_effects);
  if (state.status == RunStatus::faulted) {
    bare.error = too_large(run.sealed.size()).to_json();
  }
  state = std::move(bare);
  run.sealed = encode_state(state, nullptr);
}

/// Makes the state as the next commit saves it; nothing may change it until then. False: it is too
/// large, the run has ended, and nothing may leave.
bool Engine::Impl::seal(LiveRun& run) {
  settle_abandoned(run);
  renew_attributes(run);
  run.sealed = encode_state(run.state, run.definition.get());
  if (run.state.faulted_at && run.sealed.size() > faulted_bytes_max) {
    run.state.frames.clear();
    run.state.faulted_at.reset();
    run.sealed = encode_state(run.state, nullptr);
  }
  if (run.sealed.size() <= state_bytes_max) {
    return true;
  }
  overflow(run, too_large(run.sealed.size()));
  return false;
}

store::StreamWrite Engine::Impl::run_write(LiveRun& run) {
  store::StreamWrite write;
  write.kind = store::StreamKind::run;
  write.id = run.id;
  write.expected_version = run.version;
  write.state = store::Payload{run.state.subject, std::exchange(run.sealed, {})};
  write.history = std::exchange(run.history, {});
  write.status = std::string(name_of(run.state.status));
  write.label = store::label_of(run.state.workflow);
  if (run.state.ended()) {
    write.end = store::StreamEnd::closed;
  } else if (run.state.waiting) {
    write.wake_at = next_wake(run.state);
  } else {
    write.wake_at = clock(run).now();  // under way: whoever starts next goes on with it at once
  }
  return write;
}

store::Transition Engine::Impl::transition_of(LiveRun& run) {
  store::Transition out;
  if (run.with) {
    out = std::move(*run.with);
    run.with.reset();
  }
  out.tenant = run.ctx.tenant;
  out.epoch = services.store->epoch();
  out.streams.push_back(run_write(run));
  for (auto& write : std::exchange(run.writes, {})) {
    out.streams.push_back(std::move(write));
  }
  tell_listeners(run, &out.streams);
  tell_attributes(run, &out.streams);
  for (auto& leaf : std::exchange(run.leaves, {})) {
    out.leaves.push_back(std::move(leaf));
  }
  for (auto& event : std::exchange(run.log.events, {})) {
    out.outbox.push_back({"event", run.id, {run.state.subject, std::move(event)}});
  }
  for (auto* moves : {&run.budgets, &run.reserving}) {
    out.budgets.insert(out.budgets.end(), moves->begin(), moves->end());
    moves->clear();
  }
  run.log.event_bytes = 0;
  if (turn_is_over(run)) {
    order.give_back(run.id, &out);
  }
  if (run.state.ended() && run.state.callback.is_object()) {
    out.outbox.push_back(
        {"callback", run.id, {run.state.subject, callback_message(run, clock(run).now())}});
  }
  return out;
}

/// Of a sealed run.
Task<Saved> Engine::Impl::commit(RunPtr run) {
  auto transition = transition_of(*run);
  Context ctx = run->ctx;
  ctx.cancel = nullptr;  // a cancelled commit would leave the outcome unknown
  // Not looked at where somebody waits for the answer: he gets the error, and may ask again.
  auto spare = run->ack ? store::Transition() : transition;
  auto written = reviews_in(transition);
  auto done = co_await services.store->commit(ctx, std::move(transition));
  auto saved = Saved::durable;
  if (!done.ok()) {
    saved = co_await commit_again(run, std::move(spare), std::move(done).error());
  }
  notify(services.functions.reviews, run->ctx.tenant, written, saved);
  if (saved == Saved::durable) {
    ++run->version;
    run->enters_line = false;
    run->indexed_durable = run->state.indexed.size();
    if (turn_is_over(*run)) {
      pass_turn(run->id);
    }
    run->refusals = 0;
    if (metrics.commits != nullptr) {
      metrics.commits->add();
    }
    if (run->ack) {
      run->ack->set(Result<void>());
      run->ack.reset();
    }
  }
  co_return saved;
}

/// A full store is waited for, a reservation that is not covered is for the caller to tell of, and
/// what the store does not take at all faults the run; anything else loses the run, which is then
/// read again from the store.
Task<Saved> Engine::Impl::commit_again(RunPtr run, store::Transition transition, Error error) {
  const Context forever;
  Duration pause = std::chrono::milliseconds(20);
  while (error.code() == Code::resource_exhausted && error.retry() == Retry::same_call &&
         !run->ack && !stopping) {
    auto rested = co_await runtime::sleep_for(forever, pause);
    (void)rested;
    pause = std::min<Duration>(pause * 2, std::chrono::seconds(2));
    auto spare = transition;
    Context ctx = run->ctx;
    ctx.cancel = nullptr;
    auto done = co_await services.store->commit(ctx, std::move(spare));
    if (done.ok()) {
      co_return Saved::durable;
    }
    error = std::move(done).error();
  }
  if (error.code() == Code::budget_exceeded) {
    run->over_budget = std::move(error);
    co_return Saved::unpaid;
  }
  if (services.log != nullptr && !run->ack) {
    services.log->error("workflow", error, &run->ctx);
  }
  const bool never = error.code() == Code::invalid_argument;
  if (never && !run->ack && run->refusals < refusals_max) {
    salvage(*run, std::move(transition), error);
    co_return Saved::faulted;
  }
  const bool asked = run->ack.has_value();
  if (asked) {
    run->ack->set(std::move(error).with(fmt::format("committing run {}", run->id)));
    run->ack.reset();
  }
  forget(run);
  if (run->version != 0 && (asked || !never)) {
    timers->add(run->ctx.tenant, run->id, clock(*run).now() + std::chrono::seconds(1));
  }
  co_return Saved::lost;
}

/// Faults a run whose transition was refused. What it did stays to be told, as far as there is
/// room; what it had not done yet (its fence, its end, its events) is dropped. A second refusal
/// drops all but the fault itself.
void Engine::Impl::salvage(LiveRun& run, store::Transition transition, const Error& error) {
  const bool first = run.refusals++ == 0;
  run.budgets = std::move(transition.budgets);  // whoever reserved takes that out again
  auto& streams = transition.streams;           // the run's own is the front one: a start has `ack`
  auto history = std::move(streams.front().history);
  auto leaves = std::move(transition.leaves);
  if (!history.empty()) {
    history.pop_back();  // the fence's own line
  }
  if (run.state.ended() && !leaves.empty()) {
    leaves.pop_back();  // of the end that was not saved
  }
  if (first) {
    run.writes.assign(std::make_move_iterator(streams.begin() + 1),
                      std::make_move_iterator(streams.end()));
    std::erase_if(run.writes, [](const store::StreamWrite& write) {
      return write.kind == store::StreamKind::search_attribute;  // told with each commit
    });
  }
  overflow(run, refused(error));
  if (first) {
    keep_front(history, [](const store::HistoryEvent& one) { return one.data.bytes.size(); });
    keep_front(leaves, [](const store::AuditLeaf& one) { return bytes_of(one); });
    run.history.insert(run.history.begin(), std::make_move_iterator(history.begin()),
                       std::make_move_iterator(history.end()));
    run.leaves.insert(run.leaves.begin(), std::make_move_iterator(leaves.begin()),
                      std::make_move_iterator(leaves.end()));
  }
}

}  // namespace aios::workflow
