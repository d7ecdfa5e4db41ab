// SPDX-License-Identifier: Apache-2.0
// The machine's data flow: what goes into a task, what comes out of it, and what expressions may
// read.
#include "workflow/detail/machine.h"

#include <utility>

namespace aios::workflow {
namespace {

JsonObject date_time(Time time) {
  constexpr std::int64_t ms = 1'000'000;
  JsonObject epoch;
  epoch["seconds"] = time.ns / (1'000 * ms);
  epoch["milliseconds"] = time.ns / ms;
  JsonObject out;
  out["iso8601"] = to_rfc3339(time);
  out["epoch"] = std::move(epoch);
  return out;
}

}  // namespace

bool Machine::enter_task() {
  auto& frame = state_.frames.back();
  const auto& entered = task();
  frame.started = clock_.now();
  if (entered.condition.present()) {
    auto condition = evaluate(entered.condition, frame.data, {});
    if (!condition.ok()) {
      raise(make_problem(ProblemType::expression, condition.error().text(), entered.reference));
      return false;
    }
    if (!is_true(*condition)) {
      ++frame.index;  // skipped: its raw input is its output, and its `then` does not count
      return false;
    }
  }
  if (entered.input.schema) {
    auto valid = entered.input.schema->validate(frame.data);
    if (!valid.ok()) {
      raise(make_problem(ProblemType::validation, valid.error().text(), entered.reference));
      return false;
    }
  }
  if (entered.input.expression.present()) {
    auto made = evaluate(entered.input.expression, frame.data, {});
    if (!made.ok()) {
      raise(make_problem(ProblemType::expression, made.error().text(), entered.reference));
      return false;
    }
    frame.input = std::move(*made);
  } else {
    frame.input = frame.data;
  }
  frame.entered = true;
  frame.effects = state_.effects;
  return set_task_deadline(frame, entered);
}

bool Machine::set_task_deadline(Frame& frame, const LoadedTask& entered) {
  if (!entered.timeout) {
    return true;
  }
  auto pause = entered.timeout->evaluate(*this);
  if (!pause.ok()) {
    raise(make_problem(ProblemType::expression, pause.error().text(), entered.reference));
    return false;
  }
  frame.deadline = frame.started + *pause;
  return true;
}

void Machine::finish_task(Json output, std::optional<Directive> then) {
  const auto& done = task();
  Json raw;
  auto failed = shape_output(done, &output, &raw);
  if (failed) {
    if (!then) {  // else the task is begun again: where it goes is not known any more
      state_.frames.back().done = std::move(raw);
    }
    raise(std::move(*failed));
    return;
  }
  note_path(done.reference);
  auto& frame = state_.frames.back();
  frame.entered = false;
  frame.input = nullptr;
  frame.deadline.reset();
  frame.memory.clear();
  follow(then.value_or(done.then), std::move(output));
}

/// @param raw  the output as it came, where a problem is given back
std::optional<Problem> Machine::shape_output(const LoadedTask& done, Json* output, Json* raw) {
  bool shaped = false;
  const auto failed = [&](ProblemType type, const Error& error) {
    if (!shaped) {
      *raw = std::move(*output);
    }
    return make_problem(type, error.text(), done.reference);
  };
  if (done.output.expression.present()) {
    raw_output_ = output;
    auto made = evaluate(done.output.expression, *output, {});
    raw_output_ = nullptr;
    if (!made.ok()) {
      return failed(ProblemType::expression, made.error());
    }
    *raw = std::move(*output);
    *output = std::move(*made);
    shaped = true;
  }
  if (done.output.schema) {
    auto valid = done.output.schema->validate(*output);
    if (!valid.ok()) {
      return failed(ProblemType::validation, valid.error());
    }
  }
  if (done.exported.expression.present()) {
    output_ = output;
    auto made = evaluate(done.exported.expression, *output, {});
    output_ = nullptr;
    if (!made.ok()) {
      return failed(ProblemType::expression, made.error());
    }
    if (done.exported.schema) {
      auto valid = done.exported.schema->validate(*made);
      if (!valid.ok()) {
        return failed(ProblemType::validation, valid.error());
      }
    }
    state_.context = std::move(*made);
  } else if (done.exported.schema) {
    auto valid = done.exported.schema->validate(state_.context);
    if (!valid.ok()) {
      return failed(ProblemType::validation, valid.error());
    }
  }
  return {};
}

void Machine::follow(const Directive& directive, Json output) {
  auto& frame = state_.frames.back();
  switch (directive.kind) {
    case Directive::Kind::exit: leave(std::move(output)); return;
    case Directive::Kind::end: end_workflow(std::move(output)); return;
    case Directive::Kind::next: ++frame.index; break;
    case Directive::Kind::go: frame.index = directive.index; break;
  }
  frame.data = std::move(output);
}

Result<Json> Machine::evaluate(const Expression& expression, const Json& dot,
                               const JsonObject& more) {
  more_ = &more;
  auto made = expression.evaluate(dot, *this);
  more_ = nullptr;
  return made;
}

const Json* Machine::argument(std::string_view name) const {
  const auto* given = more_ != nullptr ? more_->if_contains(name) : nullptr;
  if (given != nullptr) {
    return given;
  }
  if (name == "context") {
    return &state_.context;
  }
  if (name == "input") {
    return state_.frames.empty() ? &state_.input : &top().input;
  }
  if (name == "output") {
    return output_ != nullptr ? output_ : &nothing_;
  }
  if (name == "task") {
    task_ = state_.frames.empty() ? Json() : task_argument();
    return &task_;
  }
  if (name == "workflow") {
    workflow_ = workflow_argument();
    return &workflow_;
  }
  if (name == "runtime") {
    runtime_ = JsonObject{{"name", "aios"}, {"version", "1"}, {"metadata", JsonObject()}};
    return &runtime_;
  }
  for (auto frame = state_.frames.rbegin(); frame != state_.frames.rend(); ++frame) {
    if (const auto* found = frame->variables.if_contains(name); found != nullptr) {
      return found;
    }
  }
  return &nothing_;
}

Json Machine::task_argument() const {
  const auto& now_at = task();
  JsonObject out;
  out["name"] = now_at.name;
  out["reference"] = now_at.reference;
  const auto* node = at_pointer(definition_.document, now_at.reference);
  out["definition"] = node != nullptr ? *node : Json();
  out["input"] = top().data;
  out["output"] = raw_output_ != nullptr ? *raw_output_ : Json();
  out["startedAt"] = date_time(top().started);
  return out;
}

Json Machine::workflow_argument() const {
  JsonObject out;
  const bool branch = state_.is_branch();
  out["id"] = branch ? state_.parent->instance : std::string(run_id_);
  out["definition"] = definition_.document;
  out["input"] = state_.raw_input;
  out["startedAt"] = date_time(branch ? state_.parent->instance_created : state_.created);
  return out;
}

}  // namespace aios::workflow
