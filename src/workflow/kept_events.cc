// SPDX-License-Identifier: Apache-2.0
// Events that wait for a run that listens. The inbox commit keeps them; a run takes one with its
// own commit, or the time is over: then nobody took it, and where it started nothing either its
// inbox entry says so in the commit that ends the keeping.
#include "workflow/detail/kept_events.h"

#include "govern/audit.h"
#include "store/label.h"
#include "workflow/detail/engine_impl.h"
#include "workflow/detail/listener.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace aios::workflow {
namespace {

constexpr Duration untold_pause = std::chrono::seconds(10);  // of the log's line
constexpr Duration later_pause = std::chrono::minutes(1);
constexpr std::uint32_t dropped_at_once = 8;
constexpr std::string_view not_in_time = "no run that listens took it within an hour";

store::AuditLeaf unclaimed_leaf(const Context& ctx, const std::string& event_id, Time now) {
  govern::LeafFacts facts(govern::LeafKind::event);
  facts.stream = event_id;
  facts.outcome = "dead_letter";
  return govern::make_leaf(ctx, now, facts);
}

}  // namespace

store::ListQuery listed_query(const TenantId& tenant, store::StreamKind kind,
                              std::string_view type) {
  store::ListQuery query;
  query.tenant = tenant;
  query.kind = kind;
  query.status = listed_status;
  query.label = store::label_of(type);
  query.limit = listed_page_max;
  return query;
}

std::optional<Kept> kept_of(const store::StreamRow& row) {
  auto state = row.erased ? Result<Json>(Error(Code::data_loss, "erased")) : parse_json(row.state);
  const auto* event = state.ok() ? find(*state, "event") : nullptr;
  if (event == nullptr) {
    return {};
  }
  return Kept{row.id, row.version, *event, Time{int_or(*state, "received", 0)},
              bool_or(*state, "started_run", false)};
}

store::StreamWrite kept_over(const std::string& id, std::uint64_t version, const EventFate& fate) {
  store::StreamWrite write;
  write.kind = store::StreamKind::kept_event;
  write.id = id;
  write.expected_version = version;
  write.state =
      store::Payload{"", to_text(Json(JsonObject{{"run", fate.run}, {"reason", fate.reason}}))};
  write.status = "closed";
  write.end = store::StreamEnd::closed;
  return write;
}

store::StreamWrite Engine::keep(const std::string& event_id, const Json& event, KeptBeside beside,
                                Time now) {
  JsonObject state{{"event", event}, {"received", now.ns}};
  if (beside == KeptBeside::run) {
    state["started_run"] = true;
  }
  store::StreamWrite write;
  write.kind = store::StreamKind::kept_event;
  write.id = event_id;
  write.status = listed_status;
  write.label = store::label_of(text_or(event, "type", ""));
  write.state =
      store::Payload{std::string(text_or(event, "subject", "")), to_text(Json(std::move(state)))};
  write.wake_at = now + kept_for;
  return write;
}

Task<Result<EventFate>> Engine::fate(Context ctx, std::string event_id) {
  auto row = co_await impl_->services.store->stream(ctx, store::StreamKind::kept_event, event_id);
  if (!row.ok()) {
    co_return std::move(row).error();
  }
  EventFate out;
  if (row->status == listed_status || row->erased) {
    co_return out;
  }
  const auto state = parse_json(row->state);
  if (!state.ok()) {
    co_return out;
  }
  out.run = text_or(*state, "run", "");
  out.reason = text_or(*state, "reason", "");
  co_return out;
}

/// An entry that a sender was told is accepted becomes a dead letter; it holds its id.
Task<Result<void>> KeptEvents::end(Context ctx, store::StreamRow row, std::string why) {
  const auto now = clock_.now();
  const auto kept = kept_of(row);
  store::Transition transition;
  transition.tenant = ctx.tenant;
  transition.epoch = store_.epoch();
  transition.streams.push_back(
      kept_over(row.id, row.version, {.run = {}, .reason = std::move(why)}));
  bool unclaimed = false;
  if (kept && !kept->started_run) {
    auto entry = co_await store_.stream(ctx, store::StreamKind::event, row.id);
    if (!entry.ok() && entry.error().code() != Code::not_found) {
      co_return std::move(entry).error();
    }
    unclaimed = entry.ok() && entry->status == "accepted";
    if (unclaimed) {
      store::StreamWrite write;
      write.kind = store::StreamKind::event;
      write.id = row.id;
      write.expected_version = entry->version;
      write.status = "dead_letter";
      write.label = entry->label;
      write.end = store::StreamEnd::closed;
      transition.streams.push_back(std::move(write));
      transition.leaves.push_back(unclaimed_leaf(ctx, row.id, now));
    }
  }
  auto done = co_await store_.commit(ctx, std::move(transition));
  if (!done.ok()) {
    co_return std::move(done).error();
  }
  if (unclaimed) {
    warn(ctx, row.id);
  }
  co_return Result<void>();
}

void KeptEvents::watch(const TenantId& tenant, const std::string& event_id) {
  timers_->add(tenant, {store::StreamKind::kept_event, event_id}, clock_.now() + kept_for);
}

Task<void> KeptEvents::time_is_over(TenantId tenant, std::string event_id, Places::Place place) {
  (void)place;  // held until this is done: so many are seen to at once
  const Context ctx = system_context(tenant, "events");
  auto row = co_await store_.stream(ctx, store::StreamKind::kept_event, event_id);
  if (row.ok() && row->status != listed_status) {
    co_return;
  }
  auto done = Result<void>();
  if (row.ok()) {
    const auto now = clock_.now();
    if (row->wake_at && *row->wake_at > now) {
      timers_->add(tenant, {store::StreamKind::kept_event, event_id}, *row->wake_at);
      co_return;
    }
    std::string why(not_in_time);
    done = co_await end(ctx, std::move(*row), std::move(why));
  } else if (row.error().code() != Code::not_found) {
    done = std::move(row).error();
  }
  if (done.ok()) {
    co_return;
  }
  if (done.error().code() != Code::aborted && log_ != nullptr) {
    log_->error("workflow", done.error(), &ctx);
  }
  timers_->add(tenant, {store::StreamKind::kept_event, event_id}, clock_.now() + later_pause);
}

/// Of all that are kept of the type: who gives way, first the first.
Task<Result<std::vector<std::string>>> KeptEvents::giving_way(Context ctx, std::string type) {
  auto query = listed_query(ctx.tenant, store::StreamKind::kept_event, type);
  const std::string label = query.label;
  query.limit = kept_max;
  query.with_state = false;
  auto rows = co_await store_.list(ctx, std::move(query));
  if (!rows.ok()) {
    co_return std::move(rows).error();
  }
  std::vector<std::string> ids;
  for (const auto& row : *rows) {
    ids.push_back(row.id);
  }
  auto busiest = senders_.of_the_busiest(ctx.tenant, label, ids);
  co_return busiest.empty() ? std::move(ids) : std::move(busiest);
}

Task<void> KeptEvents::make_room(Context ctx, std::string type, std::string event_id) {
  auto counted = listed_query(ctx.tenant, store::StreamKind::kept_event, type);
  const std::string sender = ctx.principal ? ctx.principal->id : "";
  senders_.add(ctx.tenant, counted.label, sender, std::move(event_id));
  auto count = co_await store_.count(ctx, std::move(counted));
  if (!count.ok() || *count <= kept_max) {
    co_return;  // the next one does it
  }
  std::string of = type;
  auto ids = co_await giving_way(ctx, std::move(of));
  if (!ids.ok()) {
    co_return;
  }
  ids->resize(std::min<std::size_t>(ids->size(), dropped_at_once));
  for (auto& id : *ids) {
    auto row = co_await store_.stream(ctx, store::StreamKind::kept_event, std::move(id));
    if (!row.ok() || row->status != listed_status) {
      co_return;  // a run may have taken it just now
    }
    std::string why =
        fmt::format("no run that listens took it before {} later ones of its type", kept_max);
    auto done = co_await end(ctx, std::move(*row), std::move(why));
    if (!done.ok() || --*count <= kept_max) {
      co_return;
    }
  }
}

/// Its contents may name a person: the log gets its id.
void KeptEvents::warn(const Context& ctx, const std::string& event_id) {
  if (log_ == nullptr) {
    return;
  }
  const auto now = clock_.instant().ns;
  auto told = told_ns_.load();
  if ((told != 0 && now - told < untold_pause.count()) ||
      !told_ns_.compare_exchange_strong(told, now)) {
    return;
  }
  log_->write(observe::Level::warn, "workflow",
              "events that runs listen for were taken by none and are dead letters, this "
              "one last: see 'aios events'",
              {{"event", event_id}}, &ctx);
}

}  // namespace aios::workflow
