// SPDX-License-Identifier: Apache-2.0
// What a run's status and its reason to wait are called, on disk and to people.
#include "workflow/detail/state.h"

namespace aios::workflow {

std::string_view name_of(Waiting::Reason reason) {
  switch (reason) {
    case Waiting::Reason::timer: return "timer";
    case Waiting::Reason::retry: return "retry";
    case Waiting::Reason::blocked: return "blocked";
    case Waiting::Reason::lookup: return "lookup";
    case Waiting::Reason::review: return "review";
    case Waiting::Reason::incident: return "incident";
    case Waiting::Reason::child: return "child";
    case Waiting::Reason::event: return "event";
    case Waiting::Reason::turn: return "turn";
  }
  return "timer";
}

std::string_view name_of(RunStatus status) {
  switch (status) {
    case RunStatus::running: return "running";
    case RunStatus::waiting: return "waiting";
    case RunStatus::completed: return "completed";
    case RunStatus::faulted: return "faulted";
    case RunStatus::cancelled: return "cancelled";
  }
  return "running";
}

}  // namespace aios::workflow
