// SPDX-License-Identifier: Apache-2.0
// Runs that wait for an event. The event is kept in the commit that takes it in, and the run is
// listed in the commit that parks it; each looks for the other after that, so whichever comes last
// finds what came first. The run that takes an event ends its keeping in the same commit: an event
// reaches one run, once. A process that ends between the two loses nothing, for a run that waits
// looks again by itself.
#include "workflow/detail/listener.h"

#include "store/label.h"
#include "workflow/detail/engine_impl.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace aios::workflow {
namespace {

constexpr Duration first_look = std::chrono::seconds(10);
constexpr Duration look_pause_max = std::chrono::minutes(30);
constexpr std::uint32_t page_max = 250;
constexpr std::uint32_t dropped_at_once = 8;
constexpr std::string_view open_status = "waiting";

store::ListQuery query_of(const TenantId& tenant, store::StreamKind kind, std::string_view type) {
  store::ListQuery query;
  query.tenant = tenant;
  query.kind = kind;
  query.status = open_status;
  query.label = store::label_of(type);
  query.limit = page_max;
  return query;
}

store::StreamWrite closed(store::StreamKind kind, const std::string& id, std::uint64_t version) {
  store::StreamWrite write;
  write.kind = kind;
  write.id = id;
  write.expected_version = version;
  write.status = "closed";
  write.end = store::StreamEnd::closed;
  return write;
}

/// Nothing but the event can be read: a correlation's `from` is about it.
class NoArguments final : public Arguments {
 public:
  const Json* argument(std::string_view /*name*/) const override { return &nothing_; }
  Time time() const override { return {}; }

 private:
  Json nothing_;
};

struct Kept {
  std::string id;
  std::uint64_t version = 0;
  Json event;
  Time received;
};

std::optional<Kept> kept_of(const store::StreamRow& row) {
  auto state = row.erased ? Result<Json>(Error(Code::data_loss, "erased")) : parse_json(row.state);
  const auto* event = state.ok() ? find(*state, "event") : nullptr;
  if (event == nullptr) {
    return {};
  }
  return Kept{row.id, row.version, *event, Time{int_or(*state, "received", 0)}};
}

}  // namespace

store::StreamWrite listener_write(const std::string& id, const std::string& run_id,
                                  const std::string& subject, const Listen& listen) {
  store::StreamWrite write;
  write.kind = store::StreamKind::listener;
  write.id = id;
  write.status = open_status;
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

/// A run that waits for an event looks by itself, should nobody have woken it.
void Engine::Impl::look_later(LiveRun& run) {
  auto& waiting = run.state.waiting;
  if (waiting && waiting->reason == Waiting::Reason::event) {
    const auto now = run.shard->executor.clock().now();
    waiting->wake_at = now + std::clamp<Duration>(now - waiting->since, first_look, look_pause_max);
  }
}

/// What goes with the commit that parks a run, or takes it on.
void Engine::Impl::tell_listeners(LiveRun& run, std::vector<store::StreamWrite>* streams) {
  for (const auto& id : std::exchange(run.log.ended_listeners, {})) {
    streams->push_back(closed(store::StreamKind::listener, id, 1));
  }
  if (const auto listen = std::exchange(run.log.listen, std::nullopt); listen) {
    streams->push_back(
        listener_write(run.state.waiting->subject, run.id, run.state.subject, *listen));
  }
}

/// Whether the event is the run's; then its keeping ends with the run's next commit.
bool Engine::Impl::receive(LiveRun& run, const std::string& event_id, std::uint64_t version,
                           Json event) {
  JsonObject told{
      {"event", event_id}, {"id", text_or(event, "id", "")}, {"step", machine(run).reference()}};
  if (!machine(run).receive(std::move(event))) {
    return false;
  }
  note(run, RunEvent::event_received, std::move(told));
  run.writes.push_back(closed(store::StreamKind::kept_event, event_id, version));
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
  auto query = query_of(run->ctx.tenant, store::StreamKind::kept_event, type);
  query.newest_first = true;
  const Time since = clock(*run).now() - kept_for;
  std::vector<Kept> fitting;  // newest first
  bool more = true;
  for (std::uint32_t seen = 0; more && seen < kept_max; seen += page_max) {
    auto page = query;
    auto rows = co_await services.store->list(run->ctx, std::move(page));
    more = rows.ok() && rows->size() == page_max;
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

/// Events whose hour is over, and the oldest where there are too many: a few each time one is kept.
Task<void> Engine::Impl::drop_old(Context ctx, std::string type) {
  auto query = query_of(ctx.tenant, store::StreamKind::kept_event, type);
  auto counted = query;
  auto count = co_await services.store->count(ctx, std::move(counted));
  query.limit = dropped_at_once;
  auto rows = co_await services.store->list(ctx, std::move(query));
  if (!count.ok() || !rows.ok()) {
    co_return;  // the next one does it
  }
  const Time since = runtime::Executor::current()->clock().now() - kept_for;
  store::Transition transition;
  transition.tenant = ctx.tenant;
  transition.epoch = services.store->epoch();
  for (const auto& row : *rows) {
    const auto kept = kept_of(row);
    if (!kept || kept->received < since || *count > kept_max) {
      transition.streams.push_back(closed(store::StreamKind::kept_event, row.id, row.version));
    }
  }
  if (!transition.streams.empty()) {
    auto done = co_await services.store->commit(ctx, std::move(transition));
    (void)done;  // a run may have taken one of them just now
  }
}

Task<Result<void>> Engine::Impl::deliver_to(Context ctx, std::string listener, std::string run_id,
                                            std::string event_id, Json event) {
  auto acquired = co_await acquire(ctx, run_id);
  if (!acquired.ok()) {
    co_return std::move(acquired).error();
  }
  const RunPtr run = *acquired;
  const auto& waiting = run->state.waiting;
  if (run->state.ended() || !run->listens() || waiting->subject != listener ||
      !receive(*run, event_id, 1, std::move(event))) {
    release(run);
    co_return Error(Code::not_found, "the run does not wait for this event");
  }
  auto done = co_await change(run);
  co_return done;
}

store::StreamWrite Engine::keep(const std::string& event_id, const Json& event, Time now) {
  store::StreamWrite write;
  write.kind = store::StreamKind::kept_event;
  write.id = event_id;
  write.status = open_status;
  write.label = store::label_of(text_or(event, "type", ""));
  write.state = store::Payload{std::string(text_or(event, "subject", "")),
                               to_text(Json(JsonObject{{"event", event}, {"received", now.ns}}))};
  return write;
}

Task<Result<bool>> Engine::listens(Context ctx, std::string event_type) {
  if (impl_->definitions.listened(ctx.tenant, event_type)) {
    co_return true;
  }
  if (!triggered_by(ctx.tenant, event_type).empty()) {
    co_return false;  // what every such event would pay for is not asked
  }
  auto query =
      query_of(ctx.tenant, store::StreamKind::listener, event_type);  // of an older document
  auto count = co_await impl_->services.store->count(ctx, std::move(query));
  if (!count.ok()) {
    co_return std::move(count).error();
  }
  co_return *count > 0;
}

Task<Result<std::string>> Engine::deliver(Context ctx, std::string event_id, Json event) {
  const std::string type(text_or(event, "type", ""));
  auto query = query_of(ctx.tenant, store::StreamKind::listener, type);
  EventMatch match(event);
  for (std::uint32_t seen = 0; seen < listeners_max; seen += page_max) {
    auto page = query;
    auto rows = co_await impl_->services.store->list(ctx, std::move(page));
    if (!rows.ok()) {
      co_return std::move(rows).error();
    }
    for (const auto& row : *rows) {
      const auto wanted = row.erased ? Result<Json>(Json()) : parse_json(row.state);
      if (!wanted.ok() || !match.fits(*wanted)) {
        continue;
      }
      const std::string run_id(text_or(*wanted, "run", ""));
      auto work = impl_->deliver_to(ctx, row.id, run_id, event_id, event);
      auto done = co_await impl_->on_shard(impl_->shard_of(run_id), ctx, std::move(work));
      if (done.ok()) {
        co_return run_id;
      }
      if (done.error().code() == Code::aborted) {
        co_return std::string();  // a run that looked for itself was quicker
      }
      if (done.error().code() != Code::not_found) {
        co_return std::move(done).error();
      }
    }
    if (rows->size() < page_max) {
      break;
    }
    query.after = rows->back().id;
  }
  co_await impl_->drop_old(ctx, type);
  co_return std::string();
}

}  // namespace aios::workflow
