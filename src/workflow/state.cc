// SPDX-License-Identifier: Apache-2.0
#include "workflow/detail/state.h"

#include "workflow/detail/definition.h"
#include "workflow/detail/state_family.h"

#include <fmt/format.h>

#include <utility>

namespace aios::workflow {
namespace {

constexpr char format_version = 1;

void put(JsonObject& out, std::string_view name, const std::string& text) {
  if (!text.empty()) {
    out[name] = text;
  }
}
void put(JsonObject& out, std::string_view name, const std::optional<Time>& time) {
  if (time) {
    out[name] = time->ns;
  }
}
void put(JsonObject& out, std::string_view name, const Json& value) {
  if (!value.is_null()) {
    out[name] = value;
  }
}
void put(JsonObject& out, std::string_view name, const JsonObject& value) {
  if (!value.empty()) {
    out[name] = value;
  }
}
void put(JsonObject& out, std::string_view name, const JsonArray& value) {
  if (!value.empty()) {
    out[name] = value;
  }
}
std::string take_text(const Json& value, std::string_view name) {
  return std::string(text_or(value, name, ""));
}
std::optional<Time> take_time(const Json& value, std::string_view name) {
  const auto* found = find(value, name);
  return found == nullptr ? std::optional<Time>() : Time{int_or(value, name, 0)};
}
Json take(const Json& value, std::string_view name) {
  const auto* found = find(value, name);
  return found == nullptr ? Json() : *found;
}
JsonObject take_object(const Json& value, std::string_view name) {
  const auto* found = find(value, name);
  return found != nullptr && found->is_object() ? found->get_object() : JsonObject();
}
JsonArray take_array(const Json& value, std::string_view name) {
  const auto* found = find(value, name);
  return found != nullptr && found->is_array() ? found->get_array() : JsonArray();
}

JsonObject to_json(const Frame& frame, const Definition& definition) {
  JsonObject out;
  out["list"] = definition.lists[frame.list]->pointer;
  out["index"] = frame.index;
  put(out, "data", frame.data);
  if (frame.entered) {
    out["entered"] = true;
    put(out, "input", frame.input);
    out["started"] = frame.started.ns;
    put(out, "deadline", frame.deadline);
    put(out, "memory", frame.memory);
    out["effects"] = frame.effects;
  }
  if (frame.done) {
    out["done"] = *frame.done;
  }
  put(out, "variables", frame.variables);
  return out;
}

JsonObject to_json(const EffectState& effect) {
  JsonObject out;
  out["id"] = effect.id;
  out["function"] = effect.function;
  out["step"] = effect.step;
  put(out, "arguments", effect.arguments);
  out["phase"] = static_cast<int>(effect.phase);
  out["attempt"] = effect.attempt;
  if (effect.lookups != 0) {
    out["lookups"] = effect.lookups;
  }
  if (effect.maybe_happened) {
    out["maybe"] = true;
  }
  put(out, "first_at", effect.first_at);
  put(out, "sent_at", effect.sent_at);
  put(out, "origin", effect.origin);
  return out;
}

/// Of an enum that is on disk. @param last  its greatest number
template <class Enum>
Result<Enum> take_enum(const Json& value, std::string_view name, Enum last) {
  const auto number = int_or(value, name, -1);
  if (number < 0 || number > static_cast<std::int64_t>(last)) {
    return Error(Code::data_loss, fmt::format("a run's state has {} {}, wanted 0 to {}", name,
                                              number, static_cast<int>(last)))
        .page(1034);
  }
  return static_cast<Enum>(number);
}

Result<EffectState> effect_of(const Json& value) {
  EffectState out;
  auto phase = take_enum(value, "phase", EffectState::Phase::intent);
  if (!phase.ok()) {
    return std::move(phase).error();
  }
  out.phase = *phase;
  out.id = take_text(value, "id");
  out.function = take_text(value, "function");
  out.step = take_text(value, "step");
  out.arguments = take(value, "arguments");
  out.attempt = static_cast<std::uint32_t>(int_or(value, "attempt", 0));
  out.lookups = static_cast<std::uint32_t>(int_or(value, "lookups", 0));
  out.maybe_happened = bool_or(value, "maybe", false);
  out.first_at = take_time(value, "first_at");
  out.sent_at = take_time(value, "sent_at");
  out.origin = take_text(value, "origin");
  return out;
}

JsonObject to_json(const Waiting& waiting) {
  JsonObject out;
  out["reason"] = static_cast<int>(waiting.reason);
  out["since"] = waiting.since.ns;
  put(out, "wake_at", waiting.wake_at);
  put(out, "subject", waiting.subject);
  put(out, "error", waiting.error);
  put(out, "event_type", waiting.event_type);
  return out;
}

Result<Waiting> waiting_of(const Json& value) {
  Waiting out;
  auto reason = take_enum(value, "reason", Waiting::Reason::turn);
  if (!reason.ok()) {
    return std::move(reason).error();
  }
  if (*reason > Waiting::Reason::event && *reason != Waiting::Reason::turn) {
    return Error(Code::data_loss, fmt::format("a run's state has reason {}, which is none",
                                              static_cast<int>(*reason)))
        .page(1034);
  }
  out.reason = *reason;
  out.since = Time{int_or(value, "since", 0)};
  out.wake_at = take_time(value, "wake_at");
  out.subject = take_text(value, "subject");
  out.error = take_text(value, "error");
  out.event_type = take_text(value, "event_type");
  return out;
}

void put_head(JsonObject& out, const RunState& state) {
  put(out, "workflow", state.workflow);
  put(out, "version", state.version);
  put(out, "digest", state.digest);
  put(out, "blob", state.definition_blob);
  put(out, "subject", state.subject);
  put(out, "trace", state.traceparent);
  put(out, "starter", state.starter);
  if (state.labels != 0) {
    out["labels"] = state.labels;
  }
  out["status"] = static_cast<int>(state.status);
  out["created"] = state.created.ns;
  put(out, "raw_input", state.raw_input);
  put(out, "inferences", state.inferences);
  put(out, "retrievals", state.retrievals);
  put(out, "results", state.results);
  if (state.results_forgotten != 0) {
    out["results_forgotten"] = state.results_forgotten;
  }
  put(out, "reviews", state.reviews);
  put(out, "costs", costs_json(state.costs));
  if (state.parent) {
    out["parent"] = to_json(*state.parent);
  }
  out["steps"] = state.steps;
  put(out, "cancel_reason", state.cancel_reason);
  if (state.from_backup) {
    out["from_backup"] = true;
  }
  if (state.cancel_asked) {
    out["cancel_asked"] = true;
  }
  if (state.ends_as) {
    out["ends_as"] = static_cast<int>(*state.ends_as);
  }
  put(out, "output", state.output);
  put(out, "error", state.error);
  put(out, "faulted_at", state.faulted_at);
  put(out, "attributes", state.attributes);
  put(out, "indexed", JsonArray(state.indexed.begin(), state.indexed.end()));
}

Result<Json> parse_state(std::string_view bytes) {
  if (bytes.empty() || bytes.front() != format_version) {
    return Error(Code::failed_precondition,
                 fmt::format("run state of format {}, this program reads {}",
                             bytes.empty() ? 0 : static_cast<int>(bytes.front()),
                             static_cast<int>(format_version)))
        .page(1030);
  }
  return parse_json(bytes.substr(1), {.depth_max = 400});
}

Result<Frame> frame_of(const Json& value, const Definition& definition) {
  Frame out;
  const auto pointer = text_or(value, "list", "");
  const auto* list = definition.list_at(pointer, &out.list);
  out.index = static_cast<std::uint32_t>(int_or(value, "index", 0));
  if (list == nullptr || out.index > list->tasks.size()) {
    return Error(Code::failed_precondition,
                 fmt::format("the run stands at {}, which its definition does not have", pointer))
        .page(1030);
  }
  out.entered = bool_or(value, "entered", false);
  out.data = take(value, "data");
  out.input = take(value, "input");
  out.started = Time{int_or(value, "started", 0)};
  out.deadline = take_time(value, "deadline");
  out.memory = take_object(value, "memory");
  out.effects = static_cast<std::uint64_t>(int_or(value, "effects", 0));
  if (const auto* done = find(value, "done"); done != nullptr) {
    out.done = *done;
  }
  out.variables = take_object(value, "variables");
  return out;
}

}  // namespace

std::string encode_state(const RunState& state, const Definition* definition) {
  JsonObject out;
  put_head(out, state);
  if (!state.ended() || state.faulted_at || state.is_branch()) {
    put(out, "context", state.context);  // a branch gives its own to the run that waits for it
    put(out, "open_effects", state.open_effects.to_json());
  }
  if (!state.ended() || state.faulted_at) {
    put(out, "deadline", state.deadline);
    put(out, "callback", state.callback);
    put(out, "order_key", state.order_key);
    put(out, "input", state.input);
    put(out, "held", held_json(state.held));
    out["effects"] = state.effects;
    if (state.effect) {
      out["effect"] = to_json(*state.effect);
    }
    if (state.waiting) {
      out["waiting"] = to_json(*state.waiting);
    }
    if (state.children) {
      out["children"] = to_json(*state.children);
    }
    if (state.left) {
      out["left"] = to_json(*state.left);
    }
    if (state.children_started != 0) {
      out["children_started"] = state.children_started;
    }
    JsonArray frames;
    for (const auto& frame : state.frames) {
      frames.push_back(to_json(frame, *definition));
    }
    out["frames"] = std::move(frames);
  }
  std::string bytes(1, format_version);
  bytes += to_text(Json(std::move(out)));
  return bytes;
}

namespace {

/// The call under way, what the run waits for, and how it ends then.
Result<void> take_doing(const Json& in, RunState* out) {
  if (const auto* effect = find(in, "effect"); effect != nullptr) {
    auto read = effect_of(*effect);
    if (!read.ok()) {
      return std::move(read).error();
    }
    out->effect = std::move(*read);
  }
  if (const auto* waiting = find(in, "waiting"); waiting != nullptr) {
    auto read = waiting_of(*waiting);
    if (!read.ok()) {
      return std::move(read).error();
    }
    out->waiting = std::move(*read);
  }
  if (find(in, "ends_as") != nullptr) {
    auto ends_as = take_enum(in, "ends_as", RunStatus::cancelled);
    if (!ends_as.ok()) {
      return std::move(ends_as).error();
    }
    out->ends_as = *ends_as;
  }
  return {};
}

}  // namespace

Result<RunState> decode_state(std::string_view bytes) {
  auto parsed = parse_state(bytes);
  if (!parsed.ok()) {
    return std::move(parsed).error();
  }
  const auto& in = *parsed;
  auto status = take_enum(in, "status", RunStatus::cancelled);
  if (!status.ok()) {
    return std::move(status).error();
  }
  RunState out;
  out.status = *status;
  out.workflow = take_text(in, "workflow");
  out.version = take_text(in, "version");
  out.digest = take_text(in, "digest");
  out.definition_blob = take_text(in, "blob");
  out.subject = take_text(in, "subject");
  out.traceparent = take_text(in, "trace");
  out.starter = take_text(in, "starter");
  out.labels = static_cast<std::uint32_t>(int_or(in, "labels", 0));
  out.created = Time{int_or(in, "created", 0)};
  out.deadline = take_time(in, "deadline");
  out.callback = take(in, "callback");
  out.order_key = take_text(in, "order_key");
  out.raw_input = take(in, "raw_input");
  out.input = take(in, "input");
  out.context = take(in, "context");
  out.inferences = take_array(in, "inferences");
  out.retrievals = take_array(in, "retrievals");
  out.results = take_array(in, "results");
  out.results_forgotten = static_cast<std::uint64_t>(int_or(in, "results_forgotten", 0));
  out.reviews = take_array(in, "reviews");
  out.costs = costs_of(take_array(in, "costs"));
  auto held = held_of(take_array(in, "held"));
  if (!held.ok()) {
    return std::move(held).error();
  }
  out.held = std::move(*held);
  out.open_effects = OpenEffects::from_json(take_object(in, "open_effects"));
  out.steps = static_cast<std::uint64_t>(int_or(in, "steps", 0));
  out.effects = static_cast<std::uint64_t>(int_or(in, "effects", 0));
  if (auto doing = take_doing(in, &out); !doing.ok()) {
    return std::move(doing).error();
  }
  take_family(in, &out);
  out.from_backup = bool_or(in, "from_backup", false);
  out.cancel_asked = bool_or(in, "cancel_asked", false);
  out.cancel_reason = take_text(in, "cancel_reason");
  out.output = take(in, "output");
  out.error = take(in, "error");
  out.faulted_at = take_time(in, "faulted_at");
  out.attributes = take_object(in, "attributes");
  out.indexed = texts_of(find(in, "indexed"));
  return out;
}

Result<void> decode_frames(std::string_view bytes, const Definition& definition, RunState* state) {
  auto parsed = parse_state(bytes);
  if (!parsed.ok()) {
    return std::move(parsed).error();
  }
  state->frames.clear();
  for (const auto& value : take_array(*parsed, "frames")) {
    auto frame = frame_of(value, definition);
    if (!frame.ok()) {
      return std::move(frame).error();
    }
    state->frames.push_back(std::move(*frame));
  }
  return {};
}

}  // namespace aios::workflow
