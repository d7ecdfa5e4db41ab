// SPDX-License-Identifier: Apache-2.0
// How a run ends: with its output, with an error that nobody caught, or cancelled.
#include "workflow/detail/machine.h"

#include <optional>
#include <utility>

namespace aios::workflow {

/// Of the whole workflow: all tasks are done, and only that is tried again.
void Machine::refuse_output(Json output, std::string_view instance, ProblemType type,
                            const Error& error) {
  Frame frame;
  frame.index = static_cast<std::uint32_t>(definition_.lists.front()->tasks.size());
  frame.data = std::move(output);
  state_.frames.push_back(std::move(frame));
  fault(make_problem(type, error.text(), std::string(instance)));
}

void Machine::end_workflow(Json output) {
  state_.frames.clear();
  if (state_.is_branch()) {  // the document's output is not that of one branch
    state_.output = std::move(output);
    end(RunStatus::completed);
    return;
  }
  std::optional<Json> shaped;
  if (definition_.output.expression.present()) {
    auto made = evaluate(definition_.output.expression, output, {});
    if (!made.ok()) {
      refuse_output(std::move(output), "/output/as", ProblemType::expression, made.error());
      return;
    }
    shaped = std::move(*made);
  }
  if (definition_.output.schema) {
    auto valid = definition_.output.schema->validate(shaped ? *shaped : output);
    if (!valid.ok()) {
      refuse_output(std::move(output), "/output/schema", ProblemType::validation, valid.error());
      return;
    }
  }
  state_.output = shaped ? std::move(*shaped) : std::move(output);
  end(RunStatus::completed);
}

void Machine::fault(const Problem& problem) {
  auto frames = std::move(state_.frames);
  state_.error = problem.to_json();
  end(RunStatus::faulted);
  state_.frames = std::move(frames);
  state_.faulted_at = clock_.now();
}

/// A child keeps where it stood: should its parent be tried again, so is it. What a person said of
/// a call under way is with the open effects.
void Machine::cancel(std::string reason) {
  const bool again = state_.parent && state_.parent->awaited;
  drop_wait();
  state_.cancel_reason = std::move(reason);
  auto frames = std::move(state_.frames);
  end(RunStatus::cancelled);
  if (again) {
    state_.frames = std::move(frames);
    state_.faulted_at = clock_.now();
  }
}

void Machine::overflow(const Problem& problem) {
  if (state_.status == RunStatus::cancelled) {
    return;  // it has no frames any more
  }
  drop_wait();
  fault(problem);
}

void Machine::end(RunStatus status) {
  state_.status = status;
  state_.frames.clear();
  state_.effect.reset();
  state_.waiting.reset();
  state_.children.reset();
}

}  // namespace aios::workflow
