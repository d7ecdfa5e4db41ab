// SPDX-License-Identifier: Apache-2.0
// Runs that wait for an event. The event is kept in the commit that takes it in, and the run is
// listed in the commit that parks it; each looks for the other after that, so whichever comes last
// finds what came first. The run that takes an event ends its keeping in the same commit: an event
// reaches one run, once. A process that ends between the two loses nothing, for a run that waits
// looks again by itself.
#include "workflow/detail/listener.h"

#include "store/label.h"
#include "workflow/detail/engine_impl.h"
#include "workflow/detail/state_family.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace aios::workflow {
namespace {

/// Runs that park at the same moment may be more than listeners_max by as many as are driven.
constexpr std::uint32_t listeners_scan_max = 11'000;

store::StreamWrite closed_listener(const std::string& id) {
  store::StreamWrite write;
  write.kind = store::StreamKind::listener;
  write.id = id;
  write.expected_version = 1;
  write.status = "closed";
  write.end = store::StreamEnd::closed;
  return write;
}

/// Whether it is the event that the run began with, or the first of those that stand above it: that
/// is no answer to anything they asked.
bool began_with(const RunState& state, const Json& event) {
  const auto [id, source] = started_by(state);
  return !id.empty() && text_or(event, "id", "") == id && text_or(event, "source", "") == source;
}

/// Nothing but the event can be read: a correlation's `from` is about it.
class NoArguments final : public Arguments {
 public:
  const Json* argument(std::string_view /*name*/) const override { return &nothing_; }
  Time time() const override { return {}; }

 private:
  Json nothing_;
};

}  // namespace

store::StreamWrite listener_write(const std::string& id, const std::string& run_id,
                                  const std::string& subject, const Listen& listen) {
  store::StreamWrite write;
  write.kind = store::StreamKind::listener;
  write.id = id;
  write.status = listed_status;
  write.label = store::label_of(listen.type);
  write.state =
      store::Payload{subject, to_text(Json(JsonObject{{"run", run_id},
                                                      {"type", listen.type},
                                                      {"attributes", listen.attributes},
                                                      {"correlations", listen.correlations}}))};
  return write;
}

Result<Json> EventMatch::extracted(std::string_view from) {
  const auto known = known_.find(from);
  if (known != known_.end()) {
    return known->second;
  }
  auto compiled = Expression::compile(Json(from), BareText::expression, {});
  auto value = compiled.ok() ? compiled->evaluate(event_, NoArguments())
                             : Result<Json>(std::move(compiled).error());
  return known_.emplace(std::string(from), std::move(value)).first->second;
}

bool EventMatch::fits(const Json& listener) {
  if (text_or(listener, "type", "") != text_or(event_, "type", "")) {
    return false;  // a label holds only the front of a long one
  }
  if (const auto* wanted = find(listener, "attributes"); wanted != nullptr) {
    for (const auto& one : wanted->get_object()) {
      const auto* found = find(event_, one.key());
      if (found == nullptr || *found != one.value()) {
        return false;
      }
    }
  }
  if (const auto* wanted = find(listener, "correlations"); wanted != nullptr) {
    for (const auto& one : wanted->get_array()) {
      auto value = extracted(text_or(one, "from", ""));
      const auto* expected = find(one, "expect");
      const bool same =
          value.ok() && (expected == nullptr ? !value->is_null() : *value == *expected);
      if (!same) {
        return false;
      }
    }
  }
  return true;
}

namespace {

/// Of the next page of listeners those whose filter the event fits; an empty `after`: that was all.
Task<Result<std::vector<Listener>>> fitting(Context ctx, store::Store* store, EventMatch* match,
                                            store::ListQuery* query) {
  auto page = *query;
  auto rows = co_await store->list(ctx, std::move(page));
  if (!rows.ok()) {
    co_return std::move(rows).error().with("reading who waits for an event");
  }
  std::vector<Listener> out;
  for (const auto& row : *rows) {
    const auto wanted = row.erased ? Result<Json>(Json()) : parse_json(row.state);
    if (wanted.ok() && match->fits(*wanted)) {
      out.push_back({row.id, std::string(text_or(*wanted, "run", ""))});
    }
  }
  query->after = rows->size() < listed_page_max ? "" : rows->back().id;
  co_return out;
}

}  // namespace

void look_later(LiveRun& run) {
  auto& waiting = run.state.waiting;
  if (waiting && waiting->reason == Waiting::Reason::event) {
    const auto now = run.shard->executor.clock().now();
    waiting->wake_at = now + look_pause(now - waiting->since);
  }
}

void tell_listeners(LiveRun& run, std::vector<store::StreamWrite>* streams) {
  for (const auto& id : std::exchange(run.log.ended_listeners, {})) {
    streams->push_back(closed_listener(id));
  }
  if (const auto listen = std::exchange(run.log.listen, std::nullopt); listen) {
    streams->push_back(
        listener_write(run.state.waiting->subject, run.id, run.state.subject, *listen));
  }
}

/// Of a run that begins to wait: faulted says that there are too many, which its document is told.
Task<Saved> Engine::Impl::enlist(RunPtr run) {
  std::string type = run->log.listen->type;
  auto entered = co_await listening.enter(run->ctx, services.store, std::move(type));
  if (entered.ok()) {
    co_return Saved::durable;
  }
  if (entered.error().page() != page_too_many_listen) {
    lose(run, std::move(entered).error());  // the store cannot be read now
    co_return Saved::lost;
  }
  machine(*run).not_listening(entered.error());
  co_return Saved::faulted;
}

/// Whether the event is the run's; then its keeping ends with the run's next commit.
bool Engine::Impl::receive(LiveRun& run, const std::string& event_id, std::uint64_t version,
                           Json event) {
  if (began_with(run.state, event)) {
    return false;
  }
  JsonObject told{
      {"event", event_id}, {"id", text_or(event, "id", "")}, {"step", machine(run).reference()}};
  if (!machine(run).receive(std::move(event))) {
    return false;
  }
  note(run, RunEvent::event_received, std::move(told));
  run.writes.push_back(kept_over(event_id, version, {.run = run.id, .reason = {}}));
  return true;
}

/// Of a run that is listed: the oldest event that came before and fits. True: it goes on with it.
Task<bool> Engine::Impl::take_kept(RunPtr run) {
  const std::string type = run->state.waiting->event_type;
  const std::string listener = run->state.waiting->subject;
  auto row = co_await services.store->stream(run->ctx, store::StreamKind::listener, listener);
  auto wanted = row.ok() && !row->erased ? parse_json(row->state) : Result<Json>(Json());
  if (!row.ok() || !wanted.ok()) {
    co_return false;  // it looks again later
  }
  auto query = listed_query(run->ctx.tenant, store::StreamKind::kept_event, type);
  query.newest_first = true;
  const Time since = clock(*run).now() - kept_for;
  std::vector<Kept> fitting;  // newest first
  bool more = true;
  for (std::uint32_t seen = 0; more && seen < kept_max; seen += listed_page_max) {
    auto page = query;
    auto rows = co_await services.store->list(run->ctx, std::move(page));
    more = rows.ok() && rows->size() == listed_page_max;
    for (const auto& one : rows.ok() ? *rows : std::vector<store::StreamRow>()) {
      auto kept = kept_of(one);
      more = more && (!kept || kept->received >= since);
      if (kept && kept->received >= since && EventMatch(kept->event).fits(*wanted)) {
        fitting.push_back(std::move(*kept));
      }
      query.after = one.id;
    }
  }
  for (auto kept = fitting.rbegin(); kept != fitting.rend(); ++kept) {
    if (receive(*run, kept->id, kept->version, std::move(kept->event))) {
      co_return true;
    }
  }
  co_return false;
}

Task<Result<void>> Engine::Impl::deliver_to(Context ctx, Listener listener, std::string event_id,
                                            Json event) {
  auto acquired = co_await acquire(ctx, listener.run);
  if (!acquired.ok()) {
    co_return std::move(acquired).error();
  }
  const RunPtr run = *acquired;
  const auto& waiting = run->state.waiting;
  if (run->state.ended() || !run->listens() || waiting->subject != listener.id ||
      !receive(*run, event_id, 1, std::move(event))) {
    release(run);
    co_return Error(Code::not_found, "the run does not wait for this event");
  }
  auto done = co_await change(run);
  co_return done;
}

Task<Result<bool>> Engine::listens(Context ctx, std::string event_type) {
  auto& listening = impl_->listening;
  auto found = co_await listening.listens(std::move(ctx), impl_->services.store,
                                          &impl_->definitions, std::move(event_type));
  co_return found;
}

Task<Result<bool>> Engine::wanted(Context ctx, std::string event_type) {
  auto& listening = impl_->listening;
  auto found = co_await listening.wanted(std::move(ctx), impl_->services.store, &impl_->definitions,
                                         std::move(event_type));
  co_return found;
}

Task<Result<bool>> Engine::awaited(Context ctx, Json event) {
  auto query = listed_query(ctx.tenant, store::StreamKind::listener, text_or(event, "type", ""));
  EventMatch match(event);
  for (std::uint32_t seen = 0; seen < listeners_scan_max; seen += listed_page_max) {
    auto found = co_await fitting(ctx, impl_->services.store, &match, &query);
    if (!found.ok()) {
      co_return std::move(found).error();
    }
    if (!found->empty() || query.after.empty()) {
      co_return !found->empty();
    }
  }
  co_return false;
}

Task<Result<std::string>> Engine::deliver(Context ctx, std::string event_id, Json event) {
  const std::string type(text_or(event, "type", ""));
  auto query = listed_query(ctx.tenant, store::StreamKind::listener, type);
  EventMatch match(event);
  for (std::uint32_t seen = 0; seen < listeners_scan_max; seen += listed_page_max) {
    auto found = co_await fitting(ctx, impl_->services.store, &match, &query);
    for (const auto& one : found.ok() ? *found : std::vector<Listener>()) {
      auto work = impl_->deliver_to(ctx, one, event_id, event);
      auto done = co_await impl_->on_shard(impl_->shard_of(one.run), ctx, std::move(work));
      if (done.ok()) {
        co_return one.run;
      }
      const auto& error = done.error();
      if (error.code() == Code::aborted) {
        co_return std::string();  // a run that looked for itself was quicker
      }
      if (error.retry() == Retry::same_call || error.code() == Code::cancelled ||
          error.code() == Code::deadline_exceeded) {
        found = std::move(done).error();
        break;
      }
      if (error.code() != Code::not_found && impl_->services.log != nullptr) {
        impl_->services.log->error("workflow", error, &ctx);  // it holds up no other
      }
    }
    if (!found.ok()) {
      impl_->kept_events->watch(ctx.tenant, event_id);
      co_return std::move(found).error();
    }
    if (query.after.empty()) {
      break;
    }
  }
  impl_->kept_events->watch(ctx.tenant, event_id);
  co_await impl_->kept_events->make_room(ctx, type, event_id);
  co_return std::string();
}

}  // namespace aios::workflow
