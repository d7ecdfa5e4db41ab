// SPDX-License-Identifier: Apache-2.0
// Calls that act and were given up while nobody knew whether they happened: a time limit passed, or
// the run ends for another reason. A later try of the same step takes such a call up again, under
// its own key. What is still open when the run is to end goes to a person first: whoever is told of
// the end would take it for not done, and do it another way.
#include "workflow/detail/engine_impl.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

namespace aios::workflow {
namespace {

std::string id_of(const Json& kept) {
  return kept.is_string() ? std::string(view(kept.get_string()))
                          : std::string(text_or(kept, "id", ""));
}

/// As it was when it was given up. Of older states the key alone tells the step.
EffectState effect_of(std::string_view name, const Json& kept) {
  EffectState out;
  out.id = id_of(kept);
  out.step = text_or(kept, "step", name.substr(0, name.find(' ')));
  out.function = text_or(kept, "function", "");
  out.origin = text_or(kept, "origin", "");
  const auto* arguments = find(kept, "arguments");
  out.arguments = arguments == nullptr ? Json(JsonObject()) : *arguments;
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
  auto& open = state.open_effects;
  const auto first = std::find_if(open.begin(), open.end(), [](const auto& one) {
    return !bool_or(one.value(), "given_up", false);
  });
  if (first == open.end()) {
    return false;
  }
  state.ends_as = state.status;
  state.status = RunStatus::waiting;
  state.effect = effect_of(std::string_view(first->key()), first->value());
  open_incident(run, Error(Code::failed_precondition,
                           fmt::format("the run is to end as {}, and it is not known whether this "
                                       "call of it happened",
                                       name_of(*state.ends_as))));
  return true;
}

void settle_open(RunState& state, std::string_view word) {
  auto& open = state.open_effects;
  for (auto one = open.begin(); one != open.end(); ++one) {
    if (id_of(one->value()) != state.effect->id) {
      continue;
    }
    if (word != "fail") {
      open.erase(one);
    } else if (one->value().is_object()) {
      one->value().get_object()["given_up"] = true;
    } else {
      one->value() =
          JsonObject{{"id", state.effect->id}, {"step", state.effect->step}, {"given_up", true}};
    }
    break;
  }
  state.status = *std::exchange(state.ends_as, std::nullopt);
  state.effect.reset();
  state.waiting.reset();
}

}  // namespace aios::workflow
