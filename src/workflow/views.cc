// SPDX-License-Identifier: Apache-2.0
// What of a run is shown to whom. Texts of errors quote what they were given, so who may not read
// payloads gets what is listed here and nothing else: a member that is new is hidden until then.
#include "workflow/detail/views.h"

#include "core/text.h"
#include "workflow/problem.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <utility>

namespace aios::workflow {
namespace {

JsonObject only(const Json& value, std::initializer_list<std::string_view> members) {
  JsonObject out;
  for (const auto member : members) {
    if (const auto* found = find(value, member); found != nullptr) {
      out[member] = *found;
    }
  }
  return out;
}

/// Of each entry of a governance memory; nothing of an empty one.
void put_each(JsonObject& out, std::string_view name, const Json& memory,
              std::initializer_list<std::string_view> members) {
  if (!memory.is_array() || memory.get_array().empty()) {
    return;
  }
  JsonArray entries;
  for (const auto& entry : memory.get_array()) {
    entries.emplace_back(only(entry, members));
  }
  out[name] = std::move(entries);
}

bool is_of_specification(std::string_view type) {
  constexpr std::array types = {ProblemType::configuration, ProblemType::validation,
                                ProblemType::expression,    ProblemType::authentication,
                                ProblemType::authorization, ProblemType::timeout,
                                ProblemType::communication, ProblemType::runtime};
  return std::any_of(types.begin(), types.end(),
                     [type](ProblemType known) { return uri_of(known) == type; });
}

}  // namespace

std::string page_of(std::string_view text) {
  constexpr std::string_view form = "[AIOS-0000]";
  if (text.size() < form.size()) {
    return "";
  }
  const auto last = text.substr(text.size() - form.size());
  const auto digits = last.substr(6, 4);
  const bool is_page =
      last.starts_with("[AIOS-") && last.back() == ']' &&
      std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
  return is_page ? std::string(last.substr(1, form.size() - 2)) : "";
}

Json clear_problem(const Json& problem) {
  JsonObject out;
  const auto type = text_or(problem, "type", "");
  if (is_of_specification(type)) {
    out["type"] = type;
  }
  const auto status = int_or(problem, "status", 0);
  if (status >= 100 && status < 600) {
    out["status"] = status;
  }
  if (const auto page = page_of(text_or(problem, "detail", "")); !page.empty()) {
    out["page"] = page;
  }
  out["instance"] = text_or(problem, "instance", "");  // the engine's: where it was raised
  return out;
}

RunView view_of(const store::StreamRow& row, const RunState& state) {
  RunView out;
  out.id = row.id;
  out.workflow = state.workflow.empty() ? row.label : state.workflow;
  out.version = state.version;
  out.status = row.status;
  out.input = state.raw_input;
  out.output = state.output;
  out.error = state.error;
  out.trace_id = Trace::parse(state.traceparent).trace_id_hex();
  out.starter = state.starter;
  out.created = state.created;
  if (state.parent) {
    out.parent = state.parent->run;
    out.branch = state.parent->name;
  }
  for (const auto& child : state.children ? state.children->runs : ChildrenState().runs) {
    out.children.push_back(child.id);
  }
  out.updated = row.updated;
  out.steps = state.steps;
  out.inferences = state.inferences;
  out.retrievals = state.retrievals;
  out.results = state.results;
  out.reviews = state.reviews;
  if (!state.attributes.empty()) {
    out.attributes = state.attributes;
  }
  if (!state.costs.empty()) {
    out.cost = costs_json(state.costs);
  }
  if (state.waiting) {
    const auto reason = name_of(state.waiting->reason);
    const auto& subject = state.waiting->subject;
    const auto& error = state.waiting->error;
    out.waiting_for = fmt::format("{} {}", reason, subject.empty() ? error : subject);
    const auto told = fmt::format("{} {}", reason, subject.empty() ? page_of(error) : subject);
    out.waiting_clear = std::string(trim(told));
    if (state.waiting->reason == Waiting::Reason::incident) {
      out.incident = subject;
    }
  }
  return out;
}

Json RunView::clear_json() const {
  auto out = only(to_json(),
                  {"id", "workflow", "version", "status", "incident", "trace_id", "starter",
                   "created", "updated", "steps", "unreadable", "parent", "branch", "children"});
  if (!waiting_clear.empty()) {
    out["waiting_for"] = waiting_clear;
  }
  if (!error.is_null()) {
    out["error"] = clear_problem(error);
  }
  if (!cost.is_null()) {
    out["cost"] = cost;
  }
  if (!attributes.is_null()) {
    out["attributes"] = attributes;
  }
  put_each(out, "inferences", inferences, {"alias", "version", "confidence"});
  put_each(out, "retrievals", retrievals, {"corpus"});
  put_each(out, "results", results, {"connector", "operation"});
  put_each(out, "reviews", reviews, {"id", "by"});
  return out;
}

}  // namespace aios::workflow
