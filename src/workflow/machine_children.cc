// SPDX-License-Identifier: Apache-2.0
// The machine's part in runs beside this one: which are to be started, and what follows from how
// they ended.
#include "workflow/detail/machine.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace aios::workflow {
namespace {

constexpr std::uint64_t children_max = 1'000;  // of one run, over its whole life
constexpr std::uint32_t depth_max = 8;

/// Who ended first. What was cancelled ended because another had, or because a person wanted it:
/// only where there is nothing else it counts.
std::size_t first_of(const std::vector<ChildEnd>& ends) {
  const auto earlier = [](const ChildEnd& a, const ChildEnd& b) {
    const bool cut = a.status == RunStatus::cancelled;
    const bool other_cut = b.status == RunStatus::cancelled;
    return cut != other_cut ? other_cut : a.ended < b.ended;
  };
  return static_cast<std::size_t>(std::min_element(ends.begin(), ends.end(), earlier) -
                                  ends.begin());
}

/// The first, by time, that did not complete although nobody here cancelled it.
const ChildEnd* failed(const std::vector<ChildEnd>& ends) {
  const ChildEnd* out = nullptr;
  for (const auto& end : ends) {
    const bool fails = end.status != RunStatus::completed;
    // What was cancelled ended because of the fault, so a fault goes before it.
    const bool better = out == nullptr ||
                        (end.status == RunStatus::faulted && out->status != RunStatus::faulted) ||
                        (end.status == out->status && end.ended < out->ended);
    if (fails && better) {
      out = &end;
    }
  }
  return out;
}

/// Members that a branch changed, in place of those that are there; the later branch has the last
/// word on a member that two changed.
void join_context(Json* context, const Json& base, const Json& branch) {
  if (branch == base) {
    return;
  }
  if (!context->is_object() || !base.is_object() || !branch.is_object()) {
    *context = branch;
    return;
  }
  auto& out = context->get_object();
  for (const auto& member : branch.get_object()) {
    const auto* before = base.get_object().if_contains(member.key());
    if (before == nullptr || *before != member.value()) {
      out[member.key()] = member.value();
    }
  }
  for (const auto& member : base.get_object()) {
    if (!branch.get_object().contains(member.key())) {
      out.erase(member.key());
    }
  }
}

}  // namespace

/// An id of what acts only later, if at all: until then every frame is as if it were not given.
std::string Machine::id_for_later() {
  for (auto& frame : state_.frames) {
    ++frame.effects;
  }
  return fmt::format("{}-{}", run_id_, ++state_.effects);
}

void Machine::count_as_done(std::size_t ids) {
  for (auto& frame : state_.frames) {
    frame.effects -= std::min<std::uint64_t>(frame.effects, ids);
  }
}

void Machine::start_children(Spawn spawn) {
  const auto refuse = [&](const std::string& text) {
    raise(make_problem(ProblemType::runtime, text, task().reference));
  };
  if (state_.parent && state_.parent->depth >= depth_max) {
    refuse(fmt::format("{} runs already stand above this one, at most {} may [AIOS-1052]",
                       state_.parent->depth, depth_max));
    return;
  }
  if (state_.children_started + spawn.children.size() > children_max) {
    refuse(fmt::format("the run has started {} others, at most {} are started [AIOS-1053]",
                       state_.children_started, children_max));
    return;
  }
  state_.children_started += spawn.children.size();
  ChildrenState children;
  children.first = spawn.until == Spawn::Until::first;
  const bool awaited = spawn.until != Spawn::Until::started;
  for (auto& child : spawn.children) {
    const auto id = id_for_later();
    children.runs.push_back({id, child.name});
    log_.children.push_back({id, std::move(child), task().reference, awaited});
  }
  if (awaited) {
    Waiting waiting;
    waiting.reason = Waiting::Reason::child;
    waiting.since = clock_.now();
    waiting.subject = children.runs.size() == 1 ? children.runs.front().id : "";
    state_.waiting = std::move(waiting);
    state_.children = std::move(children);
  }
}

void Machine::children_started() {
  count_as_done(log_.children.size());
  log_.children.clear();
  if (!state_.children) {
    apply(task().body->children_done(*this, {}));
  }
}

void Machine::children_refused(Problem problem) {
  log_.children.clear();
  children_gone();
  state_.left.reset();  // none of them began
  raise(std::move(problem));
}

void Machine::children_gone() {
  state_.left = std::move(state_.children);
  state_.children.reset();
  state_.waiting.reset();
  state_.status = RunStatus::running;
}

void Machine::children_done(std::vector<ChildEnd> ends) {
  children_gone();
  const auto& children = *state_.left;
  const auto first = first_of(ends);
  const ChildEnd* bad = children.first ? nullptr : failed(ends);
  if (children.first && ends[first].status != RunStatus::completed) {
    bad = &ends[first];
  }
  if (bad != nullptr) {
    const auto at = static_cast<std::size_t>(bad - ends.data());
    if (bad->status == RunStatus::faulted) {
      auto problem = Problem::from_json(bad->error);
      if (bad->context.is_null()) {
        problem.instance = task().reference;  // it names a place in the other document
      }
      raise(std::move(problem));
      return;
    }
    raise(make_problem(ProblemType::runtime,
                       fmt::format("run {} was cancelled: {} [AIOS-1054]", children.runs[at].id,
                                   bad->cancel_reason),
                       task().reference));
    return;
  }
  if (children.first) {
    ends = {std::move(ends[first])};
  }
  state_.left.reset();
  join_contexts(ends);
  std::vector<Json> outputs;
  for (auto& end : ends) {
    outputs.push_back(std::move(end.output));
  }
  apply(task().body->children_done(*this, std::move(outputs)));
}

/// The run is tried again, and so are those of its children that did not complete.
void Machine::wait_again() {
  state_.children = std::move(state_.left);
  state_.left.reset();
  Waiting waiting;
  waiting.reason = Waiting::Reason::child;
  waiting.since = clock_.now();
  waiting.wake_at = waiting.since;  // should the process end before it looks at them
  waiting.subject = state_.children->runs.size() == 1 ? state_.children->runs.front().id : "";
  state_.waiting = std::move(waiting);
}

void Machine::start_listening(Listen listen) {
  Waiting waiting;
  waiting.reason = Waiting::Reason::event;
  waiting.since = clock_.now();
  waiting.subject = id_for_later();
  waiting.event_type = listen.type;
  state_.waiting = std::move(waiting);
  log_.listen = std::move(listen);
}

void Machine::not_listening(const Error& error) {
  drop_wait();
  raise(make_problem(ProblemType::runtime, error.text(), task().reference));
}

bool Machine::receive(Json event) {
  if (!task().body->fits(*this, event)) {
    return false;
  }
  drop_wait();
  count_as_done(1);
  apply(task().body->received(*this, std::move(event)));
  return true;
}

/// docs/adr/0006: what branches export is joined in their order, member by member.
void Machine::join_contexts(const std::vector<ChildEnd>& ends) {
  const Json base = state_.context;
  for (const auto& end : ends) {
    if (!end.context.is_null()) {
      join_context(&state_.context, base, end.context);
    }
  }
}

}  // namespace aios::workflow
