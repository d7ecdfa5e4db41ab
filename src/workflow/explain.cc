// SPDX-License-Identifier: Apache-2.0
// What a person is told about a run: where it is, what it waits for, what will wake it, what was
// tried.
#include "workflow/detail/engine_impl.h"

#include <fmt/format.h>

#include <utility>

namespace aios::workflow {
namespace {

std::string ago(Time now, Time then) {
  return to_short_duration(now > then ? now - then : Duration(0));
}

std::string reason_of(const RunState& state) {
  const auto& waiting = *state.waiting;
  const auto function = state.effect ? state.effect->function : std::string();
  switch (waiting.reason) {
    case Waiting::Reason::timer: return "a time to pass";
    case Waiting::Reason::retry:
      return fmt::format("the next try of {} (so far {})", function, state.effect->attempt);
    case Waiting::Reason::blocked:
      return fmt::format("{}: the system behind it takes no calls now (no try is counted)",
                         function);
    case Waiting::Reason::lookup:
      return fmt::format(
          "asking whether {} happened, which is not known (tries so far {}, asked in vain {} "
          "times)",
          function, state.effect->attempt, state.effect->lookups);
    case Waiting::Reason::review:
      return fmt::format("the answer of a person to review {}", waiting.subject);
    case Waiting::Reason::incident:
      return fmt::format("a person to say what happened: incident {}", waiting.subject);
  }
  return "";
}

std::string next_of(const RunState& state, const std::string& id) {
  const auto& waiting = *state.waiting;
  if (waiting.reason == Waiting::Reason::review) {
    return fmt::format("aios review answer {}", waiting.subject);
  }
  if (waiting.reason == Waiting::Reason::incident) {
    return fmt::format(
        "look in the other system for effect {}, then one of\n"
        "    aios runs resolve {} {} happened --result JSON\n"
        "    aios runs resolve {} {} retry\n"
        "    aios runs resolve {} {} fail",
        state.effect ? state.effect->id : "", id, waiting.subject, id, waiting.subject, id,
        waiting.subject);
  }
  return "";
}

std::string place_of(const RunState& state, const Definition& definition) {
  if (state.frames.empty()) {
    return "/do";
  }
  const auto& frame = state.frames.back();
  const auto& list = *definition.lists[frame.list];
  if (frame.index >= list.tasks.size()) {
    return list.pointer + " (its end)";
  }
  const auto& task = list.tasks[frame.index];
  return fmt::format("{} ({})", task.reference, task.keyword);
}

void explain_waiting(const RunState& state, const std::string& id, Time now, std::string* out) {
  const auto& waiting = *state.waiting;
  *out += fmt::format("  waits for: {}\n", reason_of(state));
  *out += fmt::format("  since: {} ({} ago)\n", to_rfc3339(waiting.since), ago(now, waiting.since));
  if (state.cancel_asked) {
    *out += fmt::format("  then: it ends, for it was cancelled: {}\n", state.cancel_reason);
  }
  const auto wake = next_wake(state);
  if (wake) {
    *out += fmt::format("  wakes: {} (in {})\n", to_rfc3339(*wake), ago(*wake, now));
  } else {
    *out += "  wakes: when a person acts\n";
  }
  if (!waiting.error.empty()) {
    *out += fmt::format("  last try: {}\n", waiting.error);
  }
  const auto next = next_of(state, id);
  if (!next.empty()) {
    *out += fmt::format("  what to do: {}\n", next);
  }
}

void explain_end(const RunState& state, std::string* out) {
  if (state.status == RunStatus::faulted) {
    *out += fmt::format("  error: {} {} at {}\n", int_or(state.error, "status", 0),
                        text_or(state.error, "title", ""), text_or(state.error, "instance", ""));
    const auto detail = text_or(state.error, "detail", "");
    if (!detail.empty()) {
      *out += fmt::format("  detail: {}\n", detail);
    }
  } else if (state.status == RunStatus::cancelled) {
    *out += fmt::format("  reason: {}\n", state.cancel_reason);
  }
}

}  // namespace

Task<Result<std::string>> Engine::explain(Context ctx, std::string run_id) {
  auto row = co_await impl_->services.store->stream(ctx, store::StreamKind::run, run_id);
  if (!row.ok()) {
    co_return Error(row.error().code(), fmt::format("no run '{}'", run_id)).page(1012);
  }
  if (row->erased) {
    co_return fmt::format("run {}: {}; its data were erased with their subject\n", run_id,
                          row->status);
  }
  auto state = decode_state(row->state);
  if (!state.ok()) {
    co_return std::move(state).error();
  }
  auto out =
      fmt::format("run {} of {} {}: {}\n", run_id, state->workflow, state->version, row->status);
  const auto now = impl_->services.timers->clock().now();
  if (state->ended()) {
    explain_end(*state, &out);
  } else {
    auto definition = co_await impl_->by_digest(ctx, state->digest, state->definition_blob);
    if (!definition.ok()) {
      co_return std::move(definition).error();
    }
    auto frames = decode_frames(row->state, **definition, &*state);
    if (!frames.ok()) {
      co_return std::move(frames).error();
    }
    out += fmt::format("  at: {}\n", place_of(*state, **definition));
    if (state->waiting) {
      explain_waiting(*state, run_id, now, &out);
    } else if (state->effect) {
      out += fmt::format("  under way: {} (try {}, effect {})\n", state->effect->function,
                         state->effect->attempt, state->effect->id);
    }
  }
  out += fmt::format("  steps: {}; started {} ({} ago)\n", state->steps, to_rfc3339(state->created),
                     ago(now, state->created));
  co_return out;
}

Task<Result<Json>> Engine::history(Context ctx, std::string run_id) {
  auto rows = co_await impl_->services.store->history(ctx, store::StreamKind::run, run_id);
  if (!rows.ok()) {
    if (rows.error().code() == Code::not_found) {
      co_return Error(Code::not_found, fmt::format("no run '{}'", run_id)).page(1012);
    }
    co_return std::move(rows).error();
  }
  JsonArray out;
  for (const auto& row : *rows) {
    JsonObject entry{{"version", row.version},
                     {"time", to_rfc3339(row.time)},
                     {"type", name_of(static_cast<RunEvent>(row.type))}};
    auto data = parse_json(row.data);
    if (row.erased) {
      entry["erased"] = true;
    } else if (data.ok() && data->is_object()) {
      entry["data"] = std::move(*data);
    }
    out.emplace_back(std::move(entry));
  }
  co_return Json(std::move(out));
}

}  // namespace aios::workflow
