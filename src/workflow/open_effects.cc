// SPDX-License-Identifier: Apache-2.0
// Calls that act and were given up while nobody knew whether they happened: a time limit passed, or
// the run ends for another reason. A later try of the same step takes such a call up again, under
// its own key. What is still open when the run is to end goes to a person first: whoever is told of
// the end would take it for not done, and do it another way.
#include "workflow/detail/engine_impl.h"

#include <fmt/format.h>

#include <string>
#include <utility>

namespace aios::workflow {
namespace {

/// As it was when it was given up.
EffectState effect_of(const OpenEffect& open) {
  EffectState out;
  out.id = open.id;
  out.step = open.step;
  out.function = open.function;
  out.origin = open.origin;
  out.arguments = open.arguments;
  out.maybe_happened = true;
  return out;
}

}  // namespace

/// Of a call whose time is up: found after a crash, its class says whether it may have happened.
void Engine::Impl::note_unknown(LiveRun& run) {
  auto& state = run.state;
  if (!state.ended() && state.effect && machine(run).out_of_time() && may_have_acted(run)) {
    state.effect->maybe_happened = true;
  }
}

/// Of a run that has ended and is not saved yet. True: it waits for a person before it ends. What a
/// branch left open is the run's that waits for it.
bool Engine::Impl::hold_end(LiveRun& run) {
  auto& state = run.state;
  if (state.is_branch() && state.parent->awaited) {
    return false;
  }
  const OpenEffect* open = state.open_effects.unasked();
  if (open == nullptr) {
    return false;
  }
  state.ends_as = state.status;
  state.status = RunStatus::waiting;
  state.effect = effect_of(*open);
  open_incident(run, Error(Code::failed_precondition,
                           fmt::format("the run is to end as {}, and it is not known whether this "
                                       "call of it happened",
                                       name_of(*state.ends_as))));
  return true;
}

void settle_open(RunState& state, Word word, Json result) {
  auto& effect = *state.effect;
  auto& open = state.open_effects;
  open.keep(effect);
  switch (word) {
    case Word::happened: open.happened(effect.id, std::move(result)); break;
    case Word::retry: open.never_happened(effect.id); break;
    case Word::fail: open.give_up(effect.id); break;
  }
  effect.maybe_happened = false;  // what is known of it is there now
  if (state.ends_as) {
    state.status = *std::exchange(state.ends_as, std::nullopt);
    state.effect.reset();
    state.waiting.reset();
  }
}

}  // namespace aios::workflow
