// SPDX-License-Identifier: Apache-2.0
#include "workflow/engine.h"

#include "connectors/connectors.h"
#include "observe/metric_table.h"
#include "review/review.h"
#include "workflow/detail/engine_impl.h"
#include "workflow/detail/reserved.h"
#include "workflow/detail/views.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace aios::workflow {
namespace {

/// For calls to end that were cancelled.
constexpr Duration cut_grace = std::chrono::seconds(2);
/// Clocks that are kept in step differ by less.
constexpr Duration ahead_least = std::chrono::minutes(1);
constexpr std::uint32_t rows_a_page = 1'000;
constexpr std::uint32_t pages_max = 1'000;  ///< of a tenant's waiting runs, at a start

/// Runs that were parked by a clock that was ahead are looked at now: what they wait for is as far
/// from now as was asked.
Task<Result<void>> bring_back_runs(Context ctx, store::Store* store, const observe::Log* log,
                                   std::shared_ptr<TimerQueue> timers, Time now) {
  auto tenants = co_await store->tenants_with_leaves(ctx);
  if (!tenants.ok()) {
    co_return std::move(tenants).error();
  }
  std::uint64_t runs = 0;
  for (const auto& tenant : *tenants) {
    const Context of_tenant = system_context(tenant, "recovery");
    store::ListQuery query;
    query.status = std::string(name_of(RunStatus::waiting));
    query.limit = rows_a_page;
    query.with_state = false;
    for (std::uint32_t page = 0; page < pages_max; ++page) {
      auto wanted = query;
      auto rows = co_await store->list(of_tenant, std::move(wanted));
      if (!rows.ok()) {
        co_return std::move(rows).error();
      }
      for (const auto& row : *rows) {
        if (row.updated - now > ahead_least) {
          timers->add(tenant, row.id, now);
          ++runs;
        }
      }
      if (rows->size() < rows_a_page) {
        break;
      }
      query.after = rows->back().id;
    }
  }
  if (runs > 0 && log != nullptr) {
    log->write(observe::Level::warn, "workflow",
               "the clock was ahead when runs were saved: what they wait for is "
               "counted from now",
               {{"runs", runs}}, &ctx);
  }
  co_return Result<void>();
}

Result<RunView> read_run(const store::StreamRow& row) {
  if (row.erased) {
    return view_of(row, RunState());
  }
  auto state = decode_state(row.state);
  if (!state.ok()) {
    return std::move(state).error().with(fmt::format("reading run {}", row.id));
  }
  return view_of(row, *state);
}

/// What a caller has to know who starts by hand what events start.
std::string_view form_of_input(const Definition& definition, const Json& found) {
  const bool is_list_of_events = found.is_array() && !found.get_array().empty() &&
                                 found.get_array().front().is_object() &&
                                 find(found.get_array().front(), "data") != nullptr;
  return definition.info.trigger_types.empty() || is_list_of_events
             ? ""
             : "; wanted [{\"data\": {...}}], for an event starts it, and its input are the events";
}

}  // namespace

EngineMetrics::EngineMetrics(observe::Metrics* given) : metrics(given) {
  if (metrics != nullptr) {
    started = &metrics->counter(observe::metric("aios_runs_started"));
    commits = &metrics->counter(observe::metric("aios_run_commits"));
    for (const auto end : {RunStatus::completed, RunStatus::faulted, RunStatus::cancelled}) {
      ended_counter(end);  // at 0 from the start: the first one after it is an increase
    }
  }
}

observe::Counter& EngineMetrics::ended_counter(RunStatus status) const {
  return metrics->counter(observe::metric("aios_runs_ended"), {std::string(name_of(status))});
}

void EngineMetrics::ended(RunStatus status) const {
  if (metrics != nullptr) {
    ended_counter(status).add();
  }
}

void EngineMetrics::effect(EffectClass effect, std::string_view outcome) const {
  if (metrics != nullptr) {
    metrics
        ->counter(observe::metric("aios_effects"),
                  {std::string(name_of(effect)), std::string(outcome)})
        .add();
  }
}

observe::Counter& EngineMetrics::over_budget_counter(const std::string& workflow) const {
  return metrics->counter(observe::metric("aios_budget_refused"), {workflow});
}

void EngineMetrics::over_budget(const std::string& workflow) const {
  if (metrics != nullptr) {
    over_budget_counter(workflow).add();
  }
}

void EngineMetrics::know_workflow(const std::string& workflow) const {
  if (metrics != nullptr) {
    over_budget_counter(workflow);
  }
}

Engine::Impl::Impl(EngineServices given)
    : services(std::move(given)),
      registry(services.registry != nullptr ? services.registry : &own_registry),
      definitions(*services.store, *registry),
      metrics(services.metrics),
      places(services.places),
      listening(services.listeners_max) {
  if (registry == &own_registry) {
    register_all_functions(own_registry);
  }
  for (const auto& entry : registry->entries()) {
    functions.emplace(entry.name, entry.make(services.functions));
  }
  timers = std::make_shared<TimerQueue>(
      *services.store, *services.timers, places,
      [this](const TenantId& tenant, const TimerQueue::Sleeper& sleeper, Time at,
             Places::Place place) { wake(tenant, sleeper, at, std::move(place)); },
      TimerQueue::Options{
          .clock_was_set = [this](Duration step) { warn_clock(step); },
          .held = [this](const TenantId& tenant) { return held(tenant).has_value(); }});
  begun = services.timers->clock().instant();
  kept_events =
      std::make_unique<KeptEvents>(*services.store, services.log, timers, *services.timers);
  if (services.metrics != nullptr) {
    services.metrics->gauge(observe::metric("aios_runs_driven"),
                            [places = places] { return static_cast<double>(places.taken()); });
  }
}

Engine::Engine(EngineServices services) : impl_(std::make_unique<Impl>(std::move(services))) {
  if (auto* connectors = impl_->services.functions.connectors; connectors != nullptr) {
    connectors->on_recovered([impl = impl_.get()](const TenantId& tenant, const std::string& name) {
      impl->peer_recovered(tenant, connector_peer(name));
    });
  }
}

Engine::~Engine() {
  if (auto* connectors = impl_->services.functions.connectors; connectors != nullptr) {
    connectors->on_recovered(nullptr);
  }
}

void Engine::peer_recovered(const TenantId& tenant, const std::string& peer) {
  impl_->peer_recovered(tenant, peer);
}

bool Engine::runs_wait(const TenantId& tenant) const { return impl_->places.waits(tenant); }

Task<Result<void>> Engine::recover(Context ctx) {
  auto told = co_await impl_->tell_restored(ctx);
  if (!told.ok()) {
    co_return std::move(told).error().with("counting the runs that came from a backup");
  }
  auto turns = co_await impl_->read_turns(ctx);
  if (!turns.ok()) {
    co_return std::move(turns).error();
  }
  auto& shard = impl_->shard_of_executor(*impl_->services.timers);
  auto started = impl_->timers->start();
  auto done = co_await impl_->on_shard(shard, ctx, std::move(started));
  if (!done.ok()) {
    co_return std::move(done).error().with("reading the wake-ups of runs");
  }
  const auto& services = impl_->services;
  const Time now = services.timers->clock().now();
  auto back = co_await bring_back_runs(ctx, services.store, services.log, impl_->timers, now);
  if (!back.ok()) {
    co_return std::move(back).error().with("looking for runs that a clock parked too far ahead");
  }
  co_return Result<void>();
}

Task<Result<std::string>> Engine::start(Context ctx, StartRequest request) {
  if (impl_->stopping) {
    co_return Error(Code::unavailable, "the engine is stopping", Retry::same_call).page(1015);
  }
  if (auto why = impl_->held(ctx.tenant)) {
    co_return std::move(*why);
  }
  if (auto refused = refusal_of_subject(request.subject)) {
    co_return *std::move(refused);
  }
  auto definition = impl_->definitions.newest(ctx.tenant, request.workflow, request.version);
  if (!definition) {
    co_return impl_->definitions.unknown(ctx.tenant, request.workflow, request.version);
  }
  auto blob = co_await impl_->definitions.keep_text(ctx, definition);
  if (!blob.ok()) {
    co_return std::move(blob).error();
  }
  std::string order_key = std::move(request.order_key);
  auto run = impl_->new_run(ctx, std::move(request), definition, *blob);
  auto valid = impl_->machine(*run).check_input();
  if (!valid.ok()) {
    co_return Error(Code::invalid_argument,
                    fmt::format("{}{}", valid.error().message(),
                                form_of_input(*definition, run->state.raw_input)))
        .page(1011)
        .with(fmt::format("starting workflow {}", run->state.workflow));
  }
  if (!order_key.empty()) {
    auto placed = co_await impl_->take_turn(run, std::move(order_key));
    if (!placed.ok()) {
      co_return std::move(placed).error();
    }
  }
  runtime::OneShot<void> durable;
  run->ack = durable;
  impl_->spawn(*run->shard, impl_->begin(run));
  const std::string id = run->id;
  run.reset();
  auto done = co_await durable.wait(ctx);
  if (!done.ok()) {
    co_return std::move(done).error();
  }
  co_return id;
}

Task<Result<RunView>> Engine::get(Context ctx, std::string run_id) {
  auto row = co_await impl_->services.store->stream(ctx, store::StreamKind::run, run_id);
  if (!row.ok()) {
    co_return no_run(run_id, std::move(row).error());
  }
  co_return read_run(*row);
}

Task<Result<RunView>> Engine::wait(Context ctx, std::string run_id) {
  runtime::OneShot<void> ended;
  const std::uint64_t number = impl_->end_waiters.join(run_id, ended);
  auto view = co_await get(ctx, run_id);
  const bool open = view.ok() && (view->status == "running" || view->status == "waiting");
  if (open) {
    auto waited = co_await ended.wait(ctx);
    if (waited.ok()) {
      view = co_await get(ctx, run_id);
    } else {
      view = std::move(waited).error().with(fmt::format("waiting for run {}", run_id));
    }
  }
  impl_->end_waiters.leave(run_id, number);
  co_return view;
}

Task<Result<void>> Engine::cancel(Context ctx, std::string run_id, std::string reason) {
  auto work = impl_->cancel_run(ctx, run_id, std::move(reason));
  auto done = co_await impl_->on_shard(impl_->shard_of(run_id), ctx, std::move(work));
  co_return done;
}

Task<Result<void>> Engine::answer(Context ctx, std::string review_id, Json answer) {
  review::Said said;
  said.answer = std::move(answer);
  auto work = impl_->tell(std::move(ctx), std::move(review_id), std::move(said));
  auto done = co_await std::move(work);
  co_return done;
}

Task<Result<void>> Engine::tell(Context ctx, std::string review_id, review::Said said) {
  auto work = impl_->tell(std::move(ctx), std::move(review_id), std::move(said));
  auto done = co_await std::move(work);
  co_return done;
}

Task<Result<void>> Engine::resolve_incident(Context ctx, std::string run_id,
                                            Resolution resolution) {
  auto work = impl_->resolve(ctx, run_id, std::move(resolution));
  auto done = co_await impl_->on_shard(impl_->shard_of(run_id), ctx, std::move(work));
  co_return done;
}

Task<void> Engine::stop() {
  const Duration forever = Duration::max();
  auto stopped = co_await stop_within(forever);
  AIOS_ASSERT(stopped.left == 0);
}

Task<Stopped> Engine::stop_within(Duration grace) {
  impl_->stopping = true;
  auto& clock = runtime::Executor::current()->clock();
  const Context forever;
  const auto draining = forever.until(clock.instant() + grace);
  auto& timers = impl_->shard_of_executor(*impl_->services.timers);
  const auto all = impl_->all_shards();
  auto done = co_await impl_->finish(timers, impl_->timers->stop(), forever);
  for (auto* shard : all) {
    done = co_await impl_->finish(*shard, shard->group.join(), draining);
    if (!done.ok()) {
      break;
    }
  }
  Stopped stopped;
  if (done.ok()) {
    co_return stopped;
  }
  impl_->cutting = true;
  const auto ending = forever.until(clock.instant() + cut_grace);
  for (auto* shard : all) {
    const auto cut = co_await impl_->cut(shard, ending);
    stopped.cut += cut;
  }
  for (auto* shard : all) {
    done = co_await impl_->finish(*shard, shard->group.join(), ending);
    if (!done.ok()) {
      const auto soon = forever.until(clock.instant() + cut_grace);
      const auto left = co_await impl_->cut(shard, soon);
      stopped.left += std::max<std::uint64_t>(left, 1);
    }
  }
  co_return stopped;
}

Json RunView::to_json() const {
  JsonObject out{{"id", id}, {"workflow", workflow}, {"version", version}, {"status", status}};
  out["input"] = input;
  if (!output.is_null()) {
    out["output"] = output;
  }
  if (!error.is_null()) {
    out["error"] = error;
  }
  if (!waiting_for.empty()) {
    out["waiting_for"] = waiting_for;
  }
  if (!unreadable.empty()) {
    out["unreadable"] = unreadable;
  }
  if (!incident.empty()) {
    out["incident"] = incident;
  }
  out["trace_id"] = trace_id;
  if (!starter.empty()) {
    out["starter"] = starter;
  }
  if (!parent.empty()) {
    out["parent"] = parent;
  }
  if (!branch.empty()) {
    out["branch"] = branch;
  }
  if (!children.empty()) {
    JsonArray ids;
    for (const auto& child : children) {
      ids.emplace_back(child);
    }
    out["children"] = std::move(ids);
  }
  out["created"] = to_rfc3339(created);
  out["updated"] = to_rfc3339(updated);
  out["steps"] = steps;
  out["inferences"] = inferences;
  out["retrievals"] = retrievals;
  out["results"] = results;
  out["reviews"] = reviews;
  if (!attributes.is_null()) {
    out["attributes"] = attributes;
  }
  if (!cost.is_null()) {
    out["cost"] = cost;
  }
  return out;
}

}  // namespace aios::workflow
