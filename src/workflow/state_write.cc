// SPDX-License-Identifier: Apache-2.0
// How a run's state is written; state.cc reads it.
#include "workflow/detail/definition.h"
#include "workflow/detail/state.h"
#include "workflow/detail/state_family.h"
#include "workflow/detail/state_format.h"

#include <type_traits>
#include <utility>

namespace aios::workflow {
namespace {

constexpr std::size_t usual_bytes = std::size_t{2} << 10;  // an event, and what a run adds to it

/// Members of an object, printed one after the other: a tree made of copies would only be printed.
class Members {
 public:
  explicit Members(std::string* out) : out_(*out) { out_ += '{'; }
  /// The value is appended to what it returns. @param name  nothing in it needs escaping
  std::string* member(std::string_view name) {
    out_ += first_ ? "\"" : ",\"";
    first_ = false;
    out_ += name;
    out_ += "\":";
    return &out_;
  }
  void add(std::string_view name, const Json& value) { *member(name) += to_text(value); }
  void end() { out_ += '}'; }

 private:
  std::string& out_;
  bool first_ = true;
};

bool is_empty(const std::string& text) { return text.empty(); }
bool is_empty(const Json& value) { return value.is_null(); }
bool is_empty(const JsonObject& value) { return value.empty(); }
bool is_empty(const JsonArray& value) { return value.empty(); }

/// What is empty is not written.
template <class Value>
void put(Members& out, std::string_view name, Value&& value) {
  if (!is_empty(value)) {
    if constexpr (std::is_same_v<std::remove_cvref_t<Value>, Json>) {
      out.add(name, value);
    } else {
      out.add(name, Json(std::forward<Value>(value)));
    }
  }
}
void put(Members& out, std::string_view name, const std::optional<Time>& time) {
  if (time) {
    out.add(name, time->ns);
  }
}

void write(const Frame& frame, const Definition& definition, std::string* to) {
  Members out(to);
  out.add("list", Json(definition.lists[frame.list]->pointer));
  out.add("index", frame.index);
  put(out, "data", frame.data);
  if (frame.entered) {
    out.add("entered", true);
    put(out, "input", frame.input);
    out.add("started", frame.started.ns);
    put(out, "deadline", frame.deadline);
    put(out, "memory", frame.memory);
    out.add("effects", frame.effects);
  }
  if (frame.done) {
    out.add("done", *frame.done);
  }
  put(out, "variables", frame.variables);
  out.end();
}

/// @param definition  needed where there are any
void write_frames(const std::vector<Frame>& frames, const Definition* definition, std::string* to) {
  *to += '[';
  for (const auto& frame : frames) {
    *to += &frame == &frames.front() ? "" : ",";
    write(frame, *definition, to);
  }
  *to += ']';
}

void write(const EffectState& effect, std::string* to) {
  Members out(to);
  out.add("id", Json(effect.id));
  out.add("function", Json(effect.function));
  out.add("step", Json(effect.step));
  put(out, "arguments", effect.arguments);
  out.add("phase", static_cast<int>(effect.phase));
  out.add("attempt", effect.attempt);
  if (effect.lookups != 0) {
    out.add("lookups", effect.lookups);
  }
  if (effect.maybe_happened) {
    out.add("maybe", true);
  }
  put(out, "first_at", effect.first_at);
  put(out, "sent_at", effect.sent_at);
  put(out, "origin", effect.origin);
  out.end();
}

void write(const Waiting& waiting, std::string* to) {
  Members out(to);
  out.add("reason", static_cast<int>(waiting.reason));
  out.add("since", waiting.since.ns);
  put(out, "wake_at", waiting.wake_at);
  put(out, "subject", waiting.subject);
  put(out, "error", waiting.error);
  put(out, "event_type", waiting.event_type);
  put(out, "proposal", waiting.proposal);
  out.end();
}

void put_head(Members& out, const RunState& state) {
  put(out, "workflow", state.workflow);
  put(out, "version", state.version);
  put(out, "digest", state.digest);
  put(out, "blob", state.definition_blob);
  put(out, "subject", state.subject);
  put(out, "trace", state.traceparent);
  put(out, "starter", state.starter);
  if (state.labels != 0) {
    out.add("labels", state.labels);
  }
  out.add("status", static_cast<int>(state.status));
  out.add("created", state.created.ns);
  put(out, "raw_input", state.raw_input);
  put(out, "inferences", state.inferences);
  put(out, "retrievals", state.retrievals);
  put(out, "results", state.results);
  if (state.results_forgotten != 0) {
    out.add("results_forgotten", state.results_forgotten);
  }
  put(out, "reviews", state.reviews);
  put(out, "costs", costs_json(state.costs));
  if (state.parent) {
    out.add("parent", to_json(*state.parent));
  }
  out.add("steps", state.steps);
  put(out, "cancel_reason", state.cancel_reason);
  if (state.from_backup) {
    out.add("from_backup", true);
  }
  if (state.cancel_asked) {
    out.add("cancel_asked", true);
  }
  if (state.ends_as) {
    out.add("ends_as", static_cast<int>(*state.ends_as));
  }
  put(out, "output", state.output);
  put(out, "error", state.error);
  put(out, "faulted_at", state.faulted_at);
  put(out, "attributes", state.attributes);
  put(out, "indexed", JsonArray(state.indexed.begin(), state.indexed.end()));
}

}  // namespace

std::string encode_state(const RunState& state, const Definition* definition) {
  std::string bytes;
  bytes.reserve(usual_bytes);
  bytes.push_back(state_format);
  Members out(&bytes);
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
    out.add("effects", state.effects);
    if (state.effect) {
      write(*state.effect, out.member("effect"));
    }
    if (state.waiting) {
      write(*state.waiting, out.member("waiting"));
    }
    if (state.children) {
      out.add("children", to_json(*state.children));
    }
    if (state.left) {
      out.add("left", to_json(*state.left));
    }
    if (state.children_started != 0) {
      out.add("children_started", state.children_started);
    }
    write_frames(state.frames, definition, out.member("frames"));
  }
  out.end();
  return bytes;
}

}  // namespace aios::workflow
