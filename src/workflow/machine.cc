// SPDX-License-Identifier: Apache-2.0
#include "workflow/detail/machine.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace aios::workflow {

Machine::Machine(std::string_view run_id, const Definition& definition, RunState& state,
                 RunLog& log, runtime::Clock& clock, runtime::Random& random)
    : run_id_(run_id),
      definition_(definition),
      state_(state),
      log_(log),
      clock_(clock),
      random_(random) {}

const LoadedTask& Machine::task() const {
  return definition_.lists[top().list]->tasks[top().index];
}

Result<void> Machine::check_input() const {
  if (!definition_.input.schema) {
    return {};
  }
  return definition_.input.schema->validate(state_.raw_input);
}

void Machine::begin() {
  const bool shaped = definition_.input.expression.present();
  if (!shaped || definition_.timeout) {  // else nothing reads it before it is made
    state_.input = state_.raw_input;
  }
  state_.frames.clear();
  if (definition_.timeout) {
    auto pause = definition_.timeout->evaluate(*this);
    if (!pause.ok()) {
      fault(make_problem(ProblemType::expression, pause.error().text(), "/timeout"));
      return;
    }
    const Time own = clock_.now() + *pause;
    state_.deadline = state_.deadline ? std::min(*state_.deadline, own) : own;
  }
  if (shaped) {
    auto made = evaluate(definition_.input.expression, state_.raw_input, {});
    if (!made.ok()) {
      state_.input = state_.raw_input;
      fault(make_problem(ProblemType::expression, made.error().text(), "/input/from"));
      return;
    }
    state_.input = std::move(*made);
  }
  state_.context = state_.input;  // dsl.md, data flow diagram: the initial $context
  Frame frame;
  frame.data = state_.input;
  state_.frames.push_back(std::move(frame));
}

Pause Machine::advance() {
  for (std::uint32_t turn = 0; turn < steps_per_turn_max; ++turn) {
    if (state_.ended()) {
      return Pause::ended;
    }
    if (expired()) {
      continue;
    }
    if (!log_.children.empty()) {
      return Pause::spawn;
    }
    if (state_.waiting) {
      return Pause::wait;
    }
    if (state_.effect) {
      return Pause::call;
    }
    if (state_.left && state_.left->again) {
      wait_again();
      return Pause::wait;
    }
    if (log_.events.size() >= events_per_turn_max || log_.event_bytes >= event_bytes_per_turn_max) {
      return Pause::yielded;
    }
    if (++state_.steps > steps_per_run_max) {
      fault(make_problem(ProblemType::runtime,
                         fmt::format("the run made {} steps, the most a run may make [AIOS-1031]",
                                     steps_per_run_max),
                         top().entered ? task().reference : "/do"));
      continue;
    }
    step();
  }
  return Pause::yielded;
}

bool Machine::out_of_time() const {
  const auto now = clock_.now();
  const auto over = [now](const Frame& frame) {
    return frame.entered && frame.deadline && *frame.deadline <= now;
  };
  return (state_.deadline && *state_.deadline <= now) ||
         std::any_of(state_.frames.begin(), state_.frames.end(), over);
}

bool Machine::expired() {
  if (state_.waiting && (state_.waiting->reason == Waiting::Reason::incident ||
                         state_.waiting->reason == Waiting::Reason::child)) {
    return false;  // a person is at it, or its children are to end first: see children_gone()
  }
  if (state_.deadline && *state_.deadline <= clock_.now()) {
    auto problem = make_problem(
        ProblemType::timeout,
        definition_.timeout ? "the workflow's timeout passed" : "the run's deadline passed", "/");
    drop_wait();
    fault(problem);
    return true;
  }
  for (std::size_t i = 0; i < state_.frames.size(); ++i) {
    const auto deadline = state_.frames[i].deadline;
    if (deadline && state_.frames[i].entered && *deadline <= clock_.now()) {
      drop_wait();
      while (state_.frames.size() > i + 1) {
        unwound_.push_back(std::move(state_.frames.back()));
        state_.frames.pop_back();
      }
      raise(make_problem(ProblemType::timeout, "the task's timeout passed", task().reference));
      return true;
    }
  }
  return false;
}

void Machine::drop_wait() {
  if (state_.effect && state_.effect->maybe_happened) {
    state_.open_effects.keep(*state_.effect);
  }
  if (state_.effect && !state_.frames.empty()) {
    state_.frames.back().effects = state_.effects;
  }
  if (state_.waiting && state_.waiting->reason == Waiting::Reason::review) {
    log_.abandoned_reviews.push_back(state_.waiting->subject);
  }
  if (state_.waiting && state_.waiting->reason == Waiting::Reason::event && !log_.listen) {
    log_.ended_listeners.push_back(state_.waiting->subject);
  }
  log_.listen.reset();
  state_.effect.reset();
  state_.waiting.reset();
  state_.children.reset();
  log_.children.clear();
  state_.status = RunStatus::running;
}

void Machine::step() {
  auto& frame = state_.frames.back();
  const auto& list = *definition_.lists[frame.list];
  if (frame.done) {
    Json output = std::move(*frame.done);
    frame.done.reset();
    finish_task(std::move(output), {});
    return;
  }
  if (frame.index >= list.tasks.size()) {
    leave(std::move(frame.data));
    return;
  }
  if (enter_task()) {
    apply(task().body->start(*this));
  }
}

void Machine::apply(Step step) {
  if (auto* done = std::get_if<Done>(&step)) {
    finish_task(std::move(done->output), done->then);
  } else if (auto* enter = std::get_if<Enter>(&step)) {
    Frame frame;
    frame.list = enter->list;
    frame.data = std::move(enter->input);
    frame.variables = std::move(enter->variables);
    state_.frames.push_back(std::move(frame));
  } else if (auto* raised = std::get_if<Raise>(&step)) {
    raise(std::move(raised->problem));
  } else if (auto* call = std::get_if<Call>(&step)) {
    start_call(std::move(*call));
  } else if (const auto* pause = std::get_if<Sleep>(&step)) {
    start_wait(*pause);
  } else if (auto* spawn = std::get_if<Spawn>(&step)) {
    start_children(std::move(*spawn));
  } else if (auto* listen = std::get_if<Listen>(&step)) {
    start_listening(std::move(*listen));
  }
}

/// Where this very call was given up while it was unknown whether it happened, it has the same key
/// again, so that a second try of the step cannot make it happen twice.
void Machine::start_call(Call call) {
  EffectState effect;
  effect.step = task().reference;
  effect.function = std::move(call.function);
  effect.arguments = std::move(call.arguments);
  auto open = state_.open_effects.take(effect);
  if (open && open->result) {  // a person found that it happened
    finish_task(std::move(*open->result), {});
    return;
  }
  if (open) {
    effect.id = std::move(open->id);
    effect.origin = std::move(open->origin);
    effect.maybe_happened = true;
    effect.first_at = clock_.now();
    effect.sent_at = effect.first_at;
  } else {
    effect.id = fmt::format("{}-{}", run_id_, ++state_.effects);
  }
  state_.effect = std::move(effect);
}

void Machine::start_wait(const Sleep& pause) {
  if (pause.pause <= Duration(0)) {
    apply(task().body->resumed(*this));
    return;
  }
  Waiting waiting;
  waiting.reason = Waiting::Reason::timer;
  waiting.since = clock_.now();
  waiting.wake_at = waiting.since + pause.pause;
  state_.waiting = std::move(waiting);
}

void Machine::wake() {
  if (!state_.waiting || state_.waiting->reason == Waiting::Reason::child ||
      state_.waiting->reason == Waiting::Reason::event) {
    return;
  }
  const bool timer = state_.waiting->reason == Waiting::Reason::timer;
  state_.waiting.reset();
  state_.status = RunStatus::running;
  if (timer && !expired()) {
    apply(task().body->resumed(*this));
  }
}

void Machine::call_done(Json result) {
  state_.effect.reset();
  state_.waiting.reset();
  state_.status = RunStatus::running;
  finish_task(std::move(result), {});
}

void Machine::call_failed(Problem problem) {
  const auto effect = std::exchange(state_.effect, std::nullopt);
  state_.waiting.reset();
  state_.status = RunStatus::running;
  state_.frames.back().effects = state_.effects;
  if (effect && effect->maybe_happened) {
    state_.open_effects.keep(*effect);  // whoever tries it again, the document or a person
  }
  raise(std::move(problem));
}

void Machine::raise(Problem problem) {
  note_path(problem.instance);
  for (;;) {
    unwound_.push_back(std::move(state_.frames.back()));
    state_.frames.pop_back();
    if (state_.frames.empty()) {
      state_.frames.assign(std::make_move_iterator(unwound_.rbegin()),
                           std::make_move_iterator(unwound_.rend()));
      unwound_.clear();
      fault(problem);
      return;
    }
    auto step = task().body->caught(*this, problem);
    if (step) {
      if (!std::holds_alternative<Raise>(*step)) {
        unwound_.clear();
        state_.left.reset();
      }
      apply(std::move(*step));
      return;
    }
  }
}

void Machine::leave(Json output) {
  state_.frames.pop_back();
  if (state_.frames.empty()) {
    end_workflow(std::move(output));
    return;
  }
  apply(task().body->child_done(*this, std::move(output)));
}

void Machine::emit(Json event) {
  auto text = to_text(event);
  log_.event_bytes += text.size();
  log_.events.push_back(std::move(text));
}

std::int64_t Machine::event_hops() const {
  const auto& input = state_.raw_input;
  const auto hops = state_.parent ? state_.parent->hops : 0;
  if (!input.is_array() || input.get_array().empty()) {
    return hops;
  }
  return std::max(int_or(input.get_array().front(), hops_attribute, 0), hops);
}

void Machine::note_path(const std::string& reference) {
  if (log_.path.size() < 200) {
    log_.path.push_back(reference);
  } else {
    ++log_.path_dropped;
  }
}

std::string Machine::source() const {
  return fmt::format("/{}/{}", definition_.full_name(), definition_.info.version);
}

}  // namespace aios::workflow
