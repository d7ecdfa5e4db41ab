// SPDX-License-Identifier: Apache-2.0
// Runs beside a run. They begin in the commit that parks their parent, with ids that follow from
// it: once, whatever happens. How they end is written to their own streams alone, so that many of
// them never meet at the parent's: it is woken, and reads. A parent that nobody woke, for the
// process ended between the two, looks again by itself.
#include "workflow/detail/children_room.h"
#include "workflow/detail/engine_impl.h"
#include "workflow/detail/state_family.h"

#include "govern/audit.h"
#include "workflow/detail/views.h"

#include "core/text.h"
#include "store/label.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace aios::workflow {
namespace {

/// What a child has of its parent, whatever it runs.
RunState inherited(const LiveRun& run, const ChildStart& start, Time now) {
  const auto& parent = run.state;
  RunState out;
  out.subject = parent.subject;
  out.traceparent = parent.traceparent;
  out.starter = parent.starter;
  out.created = now;
  copy_memory(out, parent);
  ParentState link;
  link.run = run.id;
  link.step = start.step;
  link.awaited = start.awaited;
  link.depth = parent.parent ? parent.parent->depth + 1 : 1;
  const auto [id, source] = started_by(parent);
  link.event = id;
  link.event_source = source;
  out.parent = std::move(link);
  return out;
}

/// A list of the same document, with what its expressions may read where the fork stands.
RunState branch_of(const LiveRun& run, const ChildStart& start, Time now) {
  const auto& parent = run.state;
  auto out = inherited(run, start, now);
  out.workflow = parent.workflow;
  out.version = parent.version;
  out.digest = parent.digest;
  out.definition_blob = parent.definition_blob;
  out.raw_input = parent.raw_input;
  out.input = parent.input;
  out.context = parent.context;
  out.open_effects = parent.open_effects;  // its steps are the document's: what is open stays so
  auto& link = *out.parent;
  link.name = start.run.name;
  link.list = run.definition->lists[*start.run.list]->pointer;
  link.instance = parent.is_branch() ? parent.parent->instance : run.id;
  link.instance_created = parent.is_branch() ? parent.parent->instance_created : parent.created;
  Frame frame;
  frame.list = *start.run.list;
  frame.data = start.run.input;
  for (const auto& one : parent.frames) {  // the innermost last: it hides the others
    for (const auto& variable : one.variables) {
      frame.variables[variable.key()] = variable.value();
    }
  }
  out.frames.push_back(std::move(frame));
  return out;
}

store::HistoryEvent started_event(const RunState& state, Time now) {
  JsonObject data{
      {"workflow", state.workflow}, {"version", state.version}, {"parent", state.parent->run}};
  if (state.is_branch()) {
    data["branch"] = state.parent->name;
  }
  store::HistoryEvent event;
  event.type = static_cast<std::uint16_t>(RunEvent::started);
  event.time = now;
  event.data = {state.subject, to_text(Json(std::move(data)))};
  return event;
}

store::StreamWrite write_of(const std::string& id, const RunState& state,
                            const Definition& definition, Time now) {
  store::StreamWrite write;
  write.kind = store::StreamKind::run;
  write.id = id;
  write.state = store::Payload{state.subject, encode_state(state, &definition)};
  write.history.push_back(started_event(state, now));
  write.status = std::string(name_of(state.status));
  write.label = store::label_of(state.workflow);
  write.wake_at = now;
  return write;
}

ChildEnd end_of(const RunState& state, Time ended) {
  ChildEnd out;
  out.status = state.status;
  out.ended = ended;
  out.output = state.output;
  out.error = state.error;
  out.cancel_reason = state.cancel_reason;
  if (state.is_branch()) {
    out.context = state.context;
  }
  return out;
}

store::AuditLeaf child_leaf(const LiveRun& run, const ChildStart& start, Time now) {
  govern::LeafFacts facts(govern::LeafKind::run);
  facts.stream = start.id;
  facts.step = start.step;
  facts.outcome = "started";
  facts.facts["parent"] = run.id;
  facts.facts["name"] = start.run.name;
  return govern::make_leaf(run.ctx, now, facts);
}

}  // namespace

/// The stream of one child, to go with its parent's next commit. What is wrong with its start is
/// raised in the parent, so it never begins.
Task<Result<store::StreamWrite>> Engine::Impl::child_write(RunPtr run, ChildStart start) {
  const auto now = clock(*run).now();
  if (start.run.list) {
    auto state = branch_of(*run, start, now);
    state.parent->hops = machine(*run).event_hops();
    co_return write_of(start.id, state, *run->definition, now);
  }
  const auto definition = definitions.newest(run->ctx.tenant, start.run.name, start.run.version);
  if (!definition) {
    co_return definitions.unknown(run->ctx.tenant, start.run.name, start.run.version);
  }
  auto blob = co_await definitions.keep_text(run->ctx, definition);
  if (!blob.ok()) {
    co_return std::move(blob).error();
  }
  auto state = inherited(*run, start, now);
  state.parent->hops = machine(*run).event_hops();
  state.workflow = definition->full_name();
  state.version = definition->info.version;
  state.digest = definition->info.digest;
  state.definition_blob = *blob;
  state.raw_input = std::move(start.run.input);
  RunLog log;
  auto& executor = run->shard->executor;
  Machine child(start.id, *definition, state, log, executor.clock(), executor.random());
  auto valid = child.check_input();
  if (!valid.ok()) {
    co_return Error(Code::invalid_argument, valid.error().message()).page(1011);
  }
  child.begin();
  if (state.ended()) {
    co_return Error(Code::invalid_argument, std::string(text_or(state.error, "detail", "")));
  }
  co_return write_of(start.id, state, *definition, now);
}

/// True: there is more to do now.
Task<bool> Engine::Impl::start_children(RunPtr run) {
  JsonArray ids;
  std::vector<store::StreamWrite> writes;
  const auto leaves = run->leaves.size();
  for (const auto& start : std::vector<ChildStart>(run->log.children)) {
    auto one = start;
    auto write = co_await child_write(run, std::move(one));
    if (!write.ok() && write.error().retry() == Retry::same_call) {
      lose(run, std::move(write).error());  // the store cannot be read now
      co_return false;
    }
    if (!write.ok()) {
      const auto error = std::move(write).error().with(fmt::format("starting {}", start.run.name));
      run->leaves.resize(leaves);
      machine(*run).children_refused(problem_of(error, start.step));
      co_return true;
    }
    ids.emplace_back(start.id);
    run->leaves.push_back(child_leaf(*run, start, clock(*run).now()));
    writes.push_back(std::move(*write));
  }
  if (auto problem = no_room_for(*run, writes)) {
    run->leaves.resize(leaves);
    machine(*run).children_refused(*std::move(problem));
    co_return true;
  }
  note(*run, RunEvent::children_started,
       {{"step", run->log.children.front().step}, {"runs", std::move(ids)}});
  std::vector<std::string> started;
  for (auto& write : writes) {
    started.push_back(write.id);
    run->writes.push_back(std::move(write));
  }
  machine(*run).children_started();
  auto saved = Saved::faulted;
  if (run->state.children) {
    run->state.waiting->wake_at = clock(*run).now() + first_look;
    saved = co_await park(run);
  } else {
    saved = co_await checkpoint(run);
  }
  if (saved != Saved::durable) {
    co_return saved == Saved::faulted;
  }
  for (const auto& id : started) {
    if (metrics.started != nullptr) {
      metrics.started->add();
    }
    timers->add(run->ctx.tenant, id, clock(*run).now());
  }
  co_return !run->state.children && !stopping;
}

/// All of them, in the order of their parent's list: of those that have ended the whole state, of
/// the others its head.
Task<Result<std::vector<ChildRead>>> Engine::Impl::read_children(RunPtr run) {
  std::vector<ChildRead> out;
  for (const auto& child : run->state.children->runs) {
    auto row = co_await services.store->stream(run->ctx, store::StreamKind::run, child.id);
    if (!row.ok() && row.error().code() != Code::not_found) {
      co_return std::move(row).error().with(fmt::format("reading child {}", child.id));
    }
    RunState state;
    if (!row.ok()) {  // it ended so long ago that it is no longer kept
      state.status = RunStatus::faulted;
      state.error = make_problem(ProblemType::runtime,
                                 fmt::format("run '{}' is no longer kept", child.id), "/")
                        .to_json();
      out.push_back({std::move(state), 0});
      continue;
    }
    if (row->erased) {
      state.status = RunStatus::faulted;
      state.error = make_problem(ProblemType::runtime,
                                 fmt::format("run '{}' was erased [AIOS-1017]", child.id), "/")
                        .to_json();
    } else {
      const bool open =
          row->status == name_of(RunStatus::running) || row->status == name_of(RunStatus::waiting);
      auto read = open ? decode_head(row->state) : decode_state(row->state);
      if (!read.ok()) {
        co_return std::move(read).error().with(fmt::format("reading child {}", child.id));
      }
      state = std::move(*read);
    }
    state.created = row->updated;  // when it ended, from here on
    out.push_back({std::move(state), row->version});
  }
  co_return out;
}

/// Of a run all of whose children have ended.
void Engine::Impl::settle_children(LiveRun& run, std::vector<ChildRead> children) {
  auto& state = run.state;
  RunState base;
  copy_memory(base, state);
  std::vector<ChildEnd> ends;
  JsonArray told;
  for (std::size_t i = 0; i < children.size(); ++i) {
    auto& ended = children[i].state;
    auto& link = state.children->runs[i];
    const bool known = link.version != 0 && link.version == children[i].version;
    if (!known) {
      const auto costs = costs_json(ended.costs);
      for (const auto& cost : costs_of(link.counted)) {  // before it was tried again
        add_cost(ended.costs, cost.currency, -cost.nano, false);
      }
      merge_memory(state, base, ended);
      if (ended.is_branch()) {
        state.open_effects.take_over(ended.open_effects, ended.parent->list);
      }
      link.version = children[i].version;
      link.counted = costs;
    }
    told.emplace_back(JsonObject{{"run", link.id}, {"status", name_of(ended.status)}});
    ends.push_back(end_of(ended, ended.created));
  }
  state.children->again = false;
  state.children->stopping = false;
  run.ctx.labels = state.labels;
  note(run, RunEvent::children_ended, {{"runs", std::move(told)}});
  if (state.cancel_asked) {
    machine(run).children_gone();
    machine(run).cancel(state.cancel_reason);
  } else if (machine(run).out_of_time()) {
    machine(run).children_gone();
  } else {
    machine(run).children_done(std::move(ends));
  }
}

/// Of a run that is parked for its children, and was woken or is to be cancelled. True: go on.
Task<bool> Engine::Impl::await_children(RunPtr run) {
  auto& state = run->state;
  auto children = co_await read_children(run);
  if (!children.ok()) {
    if (services.log != nullptr) {
      services.log->error("workflow", children.error(), &run->ctx);
    }
    children = std::vector<ChildRead>();
  }
  if (state.children->again && !children->empty() && !state.cancel_asked) {
    const bool tried = co_await try_children_again(run, &*children);
    if (tried) {
      co_return true;  // and now as ever
    }
  }
  const auto ended = [](const ChildRead& child) { return child.state.ended() && !child.stale; };
  const auto bad = [ended](const ChildRead& child) {
    return ended(child) && child.state.status != RunStatus::completed;
  };
  if (!children->empty() && std::all_of(children->begin(), children->end(), ended)) {
    settle_children(*run, std::move(*children));
    co_return true;
  }
  const bool one_ended = std::any_of(children->begin(), children->end(), ended);
  const bool one_failed = std::any_of(children->begin(), children->end(), bad);
  const bool over = state.cancel_asked || machine(*run).out_of_time() || one_failed ||
                    (state.children->first && one_ended);
  const auto now = clock(*run).now();
  const auto clock_now = timers->setting();
  state.waiting->wake_at = now + look_pause(now - state.waiting->since);
  state.children->stopping = state.children->stopping || over;
  if (!seal(*run)) {
    co_return true;
  }
  note_fence(*run, RunEvent::parked,
             {{"reason", name_of(Waiting::Reason::child)},
              {"wake_at", to_rfc3339(*state.waiting->wake_at)}});
  const auto saved = co_await commit(run);  // when it looks again, and what was asked of it
  if (saved != Saved::durable) {
    co_return saved == Saved::faulted;
  }
  timers->add(run->ctx.tenant, run->id, *next_wake(state), clock_now);
  for (std::size_t i = 0; over && i < children->size(); ++i) {
    const auto& child = state.children->runs[i].id;
    if (!(*children)[i].state.ended() && !(*children)[i].state.cancel_asked) {
      auto asked = cancel_child(
          run->ctx.tenant, child, run->id,
          state.cancel_asked ? state.cancel_reason : fmt::format("run {} needs no more", run->id));
      spawn(shard_of(child), std::move(asked));
    }
  }
  co_return false;
}

Task<void> Engine::Impl::cancel_child(TenantId tenant, std::string child, std::string parent,
                                      std::string reason) {
  const Context ctx = system_context(tenant, parent);
  auto done = co_await cancel_run(ctx, child, std::move(reason));
  const bool settled = done.ok() || done.error().page() == 1013 || stopping;
  if (!settled && services.log != nullptr) {
    services.log->error("workflow", done.error(), &ctx);  // its parent asks again
  }
}

void Engine::Impl::wake_parent(const LiveRun& child) {
  if (child.state.parent && child.state.parent->awaited) {
    wake_early(child.ctx.tenant, child.state.parent->run);
  }
}

/// A run that may be parked goes on although its time has not come.
void Engine::Impl::wake_early(const TenantId& tenant, const std::string& run_id) {
  auto& shard = shard_of(run_id);
  shard.executor.post([&shard, timers = timers, tenant, run_id] {
    shard.early.insert(run_id);
    timers->add(tenant, run_id, shard.executor.clock().now());
  });
}

}  // namespace aios::workflow
