// SPDX-License-Identifier: Apache-2.0
#include "workflow/detail/waiting_text.h"

#include "core/text.h"
#include "workflow/detail/live_run.h"
#include "workflow/detail/views.h"

#include <fmt/format.h>

#include <vector>

namespace aios::workflow {

std::string named_secret(std::string_view error) {
  constexpr std::string_view begin = "secret '";
  const auto end = error.starts_with(begin) ? error.find('\'', begin.size()) : 0;
  return end == 0 || end == std::string_view::npos
             ? ""
             : std::string(error.substr(begin.size(), end - begin.size()));
}

namespace {

/// The same of one that is not there.
std::string missing_secret(const std::string& error) {
  return page_of(error) == secret_page ? "" : named_secret(error);
}

/// "erp.pay", or the function where it is no connector's operation. Its plan was made once: these
/// are names of a bundle.
std::string called(const EffectState& effect) {
  const auto connector = text_or(effect.arguments, "connector", "");
  return connector.empty()
             ? effect.function
             : fmt::format("{}.{}", connector, text_or(effect.arguments, "operation", ""));
}

std::string blocked_by(const std::string& function, const std::string& error) {
  if (const auto secret = missing_secret(error); !secret.empty()) {
    return fmt::format("{}: the secret '{}', which is missing (no try is counted)", function,
                       secret);
  }
  if (page_of(error) == secret_page) {
    return fmt::format("{}: a secret that the system takes (no try is counted)", function);
  }
  if (page_of(error) == no_model_page) {
    return fmt::format("{}: a model that serves, for none does yet (no try is counted)", function);
  }
  return fmt::format("{}: the system behind it takes no calls now (no try is counted)", function);
}

std::string children_of(const RunState& state) {
  std::vector<std::string> names;
  for (const auto& child : state.children ? state.children->runs : ChildrenState().runs) {
    names.push_back(fmt::format("{} ({})", child.id, child.name));
  }
  return fmt::format("{} of the runs that it started: {}",
                     state.children && state.children->first ? "the first" : "the end",
                     join(names, ", "));
}

}  // namespace

std::string reason_of(const RunState& state) {
  const auto& waiting = *state.waiting;
  const auto function = state.effect ? called(*state.effect) : std::string();
  switch (waiting.reason) {
    case Waiting::Reason::timer: return "a time to pass";
    case Waiting::Reason::retry:
      return fmt::format("the next try of {} (so far {})", function, state.effect->attempt);
    case Waiting::Reason::blocked: return blocked_by(function, waiting.error);
    case Waiting::Reason::lookup:
      return fmt::format(
          "asking whether {} happened, which is not known (tries so far {}, asked in vain {} "
          "times)",
          function, state.effect->attempt, state.effect->lookups);
    case Waiting::Reason::review:
      return fmt::format("the answer of a person to review {}", waiting.subject);
    case Waiting::Reason::incident:
      return fmt::format("a person to say what happened: incident {}", waiting.subject);
    case Waiting::Reason::child: return children_of(state);
    case Waiting::Reason::event:
      return fmt::format("an event of type '{}' that fits", waiting.event_type);
    case Waiting::Reason::turn:
      return fmt::format("its turn: runs of the same partitionkey go before it, {} right before",
                         waiting.subject);
  }
  return "";
}

}  // namespace aios::workflow
