// SPDX-License-Identifier: Apache-2.0
// What a person is told about a run: where it is, what it waits for, what will wake it, what was
// tried.
#include "core/text.h"
#include "review/review.h"
#include "workflow/detail/engine_impl.h"
#include "workflow/detail/explain_review.h"
#include "workflow/detail/views.h"
#include "workflow/detail/waiting_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace aios::workflow {
namespace {

/// What an HTTP call is made with, without what authenticates it.
Json without_credentials(const Json& arguments) {
  Json out = arguments;
  if (out.is_object()) {
    out.get_object().erase("authentication");
  }
  return out;
}

constexpr std::size_t shown_characters_max = 2'000;

std::string called_with(const RunState& state) {
  const auto& arguments = state.effect->arguments;
  if (state.ends_as && arguments.is_null()) {
    return "with what is not kept, for the run is too large";
  }
  return "with " + excerpt(to_text(without_credentials(arguments)), shown_characters_max);
}

struct Telling {
  const TenantId& tenant;
  const std::string& id;
  Time now;
  Shown shown;
  std::string look_for;              ///< what a person finds the call under way by
  const review::ReviewInfo* review;  ///< that the run waits for; null: none, or it is away
};

std::string ago(Time now, Time then) {
  return to_short_duration(now > then ? now - then : Duration(0));
}

/// The whole text, or for those who may not read payloads the page that explains it.
std::string told(const std::string& error, Shown shown) {
  return shown == Shown::all ? error : page_of(error);
}

std::string next_of(const RunState& state, const Telling& telling) {
  const auto& id = telling.id;
  const auto& waiting = *state.waiting;
  if (waiting.reason == Waiting::Reason::review) {
    return fmt::format("look with aios review show {0}, then aios review answer {0} JSON",
                       waiting.subject);
  }
  if (waiting.reason == Waiting::Reason::turn) {
    return fmt::format("see what that one waits for: aios explain {}", waiting.subject);
  }
  if (waiting.reason == Waiting::Reason::incident && !waiting.proposal.is_null()) {
    std::vector<std::string> roles;
    if (const auto* given = find(waiting.proposal, "approvers"); given != nullptr) {
      for (const Json& role : given->as_array()) {
        roles.emplace_back(view(role.as_string()));
      }
    }
    return fmt::format(
        "{} said '{}', which another person ({}) has to approve\n"
        "    aios runs resolve {} {} approve\n"
        "    aios runs resolve {} {} send-back",
        text_or(waiting.proposal, "by", ""), text_or(waiting.proposal, "word", ""),
        join(roles, " or "), id, waiting.subject, id, waiting.subject);
  }
  if (waiting.reason == Waiting::Reason::incident) {
    return fmt::format(
        "look in the other system for {}, then one of\n"
        "    aios runs resolve {} {} happened --result JSON\n"
        "    aios runs resolve {} {} retry\n"
        "    aios runs resolve {} {} fail",
        telling.look_for, id, waiting.subject, id, waiting.subject, id, waiting.subject);
  }
  if (waiting.reason == Waiting::Reason::blocked && page_of(waiting.error) == no_model_page) {
    return "train and promote: aios model train NAME, then aios model promote NAME@VERSION ALIAS";
  }
  if (const auto secret = named_secret(waiting.error); !secret.empty()) {
    const bool first = telling.tenant == default_tenant();  // the environment is that one's alone
    return fmt::format("put it into {}secrets/{}{} of the data directory; see aios errors {}",
                       first ? "the server's environment or into " : "",
                       first ? "" : telling.tenant.text() + "/", secret, page_of(waiting.error));
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

/// What models said and people answered: the ground of what the run did.
void explain_decision(const RunState& state, Shown shown, std::string* out) {
  for (const auto& said : state.inferences) {
    const auto* confidence = find(said, "confidence");
    *out += fmt::format("  model: {} ({}) said {}, confidence {}\n", text_or(said, "alias", ""),
                        text_or(said, "version", ""),
                        shown == Shown::all ? fmt::format("'{}'", text_or(said, "label", ""))
                                            : std::string("a label"),
                        confidence == nullptr ? std::string("unknown") : to_text(*confidence));
  }
  for (const auto& answered : state.reviews) {
    const auto* answer = find(answered, "answer");
    *out += fmt::format("  answered: {} by {}", text_or(answered, "id", ""),
                        text_or(answered, "by", ""));
    if (shown == Shown::all && answer != nullptr) {
      *out += fmt::format(": {}", excerpt(to_text(*answer), shown_characters_max));
    }
    *out += "\n";
  }
}

/// What policy answered where the document asked it: kept in the openings of the run's leaves.
void explain_rulings(const std::vector<store::HistoryRow>& history, std::string* out) {
  for (const auto& row : history) {
    const auto data = parse_json(row.data);
    const auto* openings = data.ok() ? find(*data, "openings") : nullptr;
    if (openings == nullptr || !openings->is_array()) {
      continue;
    }
    for (const auto& opening : openings->get_array()) {
      const auto* kept = at_pointer(opening, "/contents/ruling");
      const auto ruling =
          parse_json(kept == nullptr || !kept->is_string() ? "" : view(kept->get_string()));
      const auto* answer = ruling.ok() ? find(*ruling, "answer") : nullptr;
      if (answer != nullptr) {
        *out += fmt::format("  policy: {} said {}\n", text_or(*ruling, "path", ""),
                            excerpt(to_text(*answer), shown_characters_max));
      }
    }
  }
}

/// Calls that were not made: policy or a budget did not let them. The reason why a person is asked
/// may be one of these.
void explain_refusals(const std::vector<store::HistoryRow>& history, Shown shown,
                      std::string* out) {
  for (const auto& row : history) {
    if (row.type != static_cast<std::uint16_t>(RunEvent::effect_refused)) {
      continue;
    }
    const auto data = parse_json(row.data);
    if (data.ok() && data->is_object()) {
      *out += fmt::format("  not made: the call at {}: {}\n", text_or(*data, "step", ""),
                          told(std::string(text_or(*data, "error", "")), shown));
    }
  }
}

void explain_waiting(const RunState& state, const Telling& telling, std::string* out) {
  const auto& [tenant, id, now, shown, look_for, review] = telling;
  const auto& waiting = *state.waiting;
  *out += fmt::format("  waits for: {}\n", reason_of(state));
  *out += fmt::format("  since: {} ({} ago)\n", to_rfc3339(waiting.since), ago(now, waiting.since));
  if (state.ends_as) {
    *out += fmt::format("  then: it ends as {}\n", name_of(*state.ends_as));
  } else if (state.cancel_asked) {
    *out +=
        fmt::format("  then: it ends, for it was cancelled{}{}\n", shown == Shown::all ? ": " : "",
                    shown == Shown::all ? state.cancel_reason : "");
  }
  const auto wake = next_wake(state);
  if (wake) {
    *out += fmt::format("  wakes: {} (in {})\n", to_rfc3339(*wake), ago(*wake, now));
  } else if (waiting.reason == Waiting::Reason::turn) {
    *out += "  wakes: when they have ended or wait for a person\n";
  } else {
    *out += "  wakes: when a person acts\n";
  }
  if (const auto error = told(waiting.error, shown); !error.empty()) {
    *out += fmt::format("  last try: {}\n", error);
  }
  if (review != nullptr) {
    explain_review(*review, out);
    return;
  }
  if (waiting.reason == Waiting::Reason::incident && state.effect && shown == Shown::all) {
    *out += fmt::format("  what was called: {} {}\n", state.effect->function, called_with(state));
  }
  const auto next = next_of(state, telling);
  if (!next.empty()) {
    *out += fmt::format("  what to do: {}\n", next);
  }
}

/// A branch is tried again with the run that waits for it.
std::string again_with(const RunState& state, const std::string& id) {
  return state.parent && state.parent->awaited ? state.parent->run : id;
}

void explain_end(const RunState& state, const std::string& id, Shown shown, std::string* out) {
  const bool all = shown == Shown::all;
  if (state.status == RunStatus::faulted) {
    const auto problem = all ? state.error : clear_problem(state.error);
    *out +=
        fmt::format("  error: {} {} at {}\n", int_or(problem, "status", 0),
                    text_or(problem, all ? "title" : "type", ""), text_or(problem, "instance", ""));
    const auto detail = text_or(problem, all ? "detail" : "page", "");
    if (!detail.empty()) {
      *out += fmt::format("  detail: {}\n", detail);
    }
    *out += fmt::format(
        "  what to do: see what was asked and answered with aios runs show {}, mend the cause, "
        "then\n"
        "    aios runs retry {}\n",
        id, again_with(state, id));
  } else if (state.status == RunStatus::cancelled && all) {
    *out += fmt::format("  reason: {}\n", state.cancel_reason);
  } else if (state.status == RunStatus::completed && all && !state.output.is_null()) {
    *out += fmt::format("  output: {}\n", excerpt(to_text(state.output), shown_characters_max));
  }
}

void explain_parent(const RunState& state, std::string* out) {
  if (state.parent) {
    *out += fmt::format("  started by: run {} at {}{}{}\n", state.parent->run, state.parent->step,
                        state.is_branch() ? ", its branch " : "", state.parent->name);
  }
}

}  // namespace

/// What the system behind the call under way knows it by.
std::string Engine::Impl::sought(const Context& ctx, const RunState& state, Shown shown) const {
  const std::string by_id = "effect " + (state.effect ? state.effect->id : "");
  const auto found = state.effect ? functions.find(state.effect->function) : functions.end();
  if (found == functions.end()) {
    return by_id;
  }
  CallRequest request;
  request.arguments = state.effect->arguments;
  const auto plan = found->second->plan(ctx, request);
  if (!plan.ok()) {
    return by_id + ", if it was told an id";
  }
  if (!plan->document_key.empty()) {
    return shown == Shown::all ? fmt::format("Idempotency-Key '{}'", plan->document_key)
                               : "the Idempotency-Key that the document gave it";
  }
  return plan->names_effect ? by_id : "what was sent (it was told no id of it)";
}

Task<Result<std::string>> Engine::explain(Context ctx, std::string run_id, Shown shown) {
  auto row = co_await impl_->services.store->stream(ctx, store::StreamKind::run, run_id);
  if (!row.ok()) {
    co_return no_run(run_id, std::move(row).error());
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
    explain_end(*state, run_id, shown, &out);
  } else {
    auto definition =
        co_await impl_->definitions.by_digest(ctx, state->digest, state->definition_blob);
    if (!definition.ok()) {
      co_return std::move(definition).error();
    }
    auto frames = decode_frames(row->state, **definition, &*state);
    if (!frames.ok()) {
      co_return std::move(frames).error();
    }
    out += fmt::format("  at: {}\n", place_of(*state, **definition));
    if (state->waiting) {
      std::optional<review::ReviewInfo> review;
      if (impl_->services.functions.reviews != nullptr &&
          state->waiting->reason == Waiting::Reason::review) {
        auto found = co_await impl_->services.functions.reviews->get(ctx, state->waiting->subject);
        if (found.ok()) {
          review = std::move(*found);
        }
      }
      const review::ReviewInfo* asked = review ? &*review : nullptr;
      auto look_for = impl_->sought(ctx, *state, shown);
      explain_waiting(*state, {ctx.tenant, run_id, now, shown, std::move(look_for), asked}, &out);
    } else if (state->effect) {
      out += fmt::format("  under way: {} (try {}, effect {})\n", state->effect->function,
                         state->effect->attempt, state->effect->id);
    }
  }
  explain_parent(*state, &out);
  explain_decision(*state, shown, &out);
  auto history = co_await impl_->services.store->history(ctx, store::StreamKind::run, run_id);
  if (!history.ok()) {
    co_return std::move(history).error();
  }
  if (shown == Shown::all) {
    explain_rulings(*history, &out);
  }
  explain_refusals(*history, shown, &out);
  out += fmt::format("  steps: {}; started {} ({} ago)\n", state->steps, to_rfc3339(state->created),
                     ago(now, state->created));
  co_return out;
}

Task<Result<Json>> Engine::history(Context ctx, std::string run_id) {
  auto rows = co_await impl_->services.store->history(ctx, store::StreamKind::run, run_id);
  if (!rows.ok()) {
    co_return no_run(run_id, std::move(rows).error());
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
