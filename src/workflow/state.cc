// SPDX-License-Identifier: Apache-2.0
#include "workflow/detail/state.h"

#include "workflow/detail/definition.h"
#include "workflow/detail/state_family.h"
#include "workflow/detail/state_format.h"

#include <fmt/format.h>

#include <utility>

namespace aios::workflow {
namespace {

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
  if (const auto* proposal = find(value, "proposal"); proposal != nullptr) {
    out.proposal = *proposal;
  }
  return out;
}

Result<Json> parse_state(std::string_view bytes) {
  if (bytes.empty() || bytes.front() != state_format) {
    return Error(Code::failed_precondition,
                 fmt::format("run state of format {}, this program reads {}",
                             bytes.empty() ? 0 : static_cast<int>(bytes.front()),
                             static_cast<int>(state_format)))
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
