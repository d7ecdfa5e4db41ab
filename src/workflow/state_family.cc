// SPDX-License-Identifier: Apache-2.0
#include "workflow/detail/state_family.h"

#include <utility>

namespace aios::workflow {
namespace {

std::string text(const Json& value, std::string_view name) {
  return std::string(text_or(value, name, ""));
}

ParentState parent_of(const Json& value) {
  ParentState out;
  out.run = text(value, "run");
  out.step = text(value, "step");
  out.name = text(value, "name");
  out.list = text(value, "list");
  out.instance = text(value, "instance");
  out.instance_created = Time{int_or(value, "instance_created", 0)};
  out.depth = static_cast<std::uint32_t>(int_or(value, "depth", 1));
  out.hops = int_or(value, "hops", 0);
  out.event = text(value, "event");
  out.event_source = text(value, "event_source");
  out.awaited = !bool_or(value, "detached", false);
  return out;
}

ChildrenState children_of(const Json& value) {
  ChildrenState out;
  out.first = bool_or(value, "first", false);
  out.stopping = bool_or(value, "stopping", false);
  out.again = bool_or(value, "again", false);
  out.newest = bool_or(value, "newest", false);
  const auto* runs = find(value, "runs");
  if (runs != nullptr && runs->is_array()) {
    for (const auto& child : runs->get_array()) {
      const auto* counted = find(child, "counted");
      out.runs.push_back(
          {text(child, "id"), text(child, "name"),
           static_cast<std::uint64_t>(int_or(child, "version", 0)),
           counted != nullptr && counted->is_array() ? counted->get_array() : JsonArray(),
           bool_or(child, "refused", false)});
    }
  }
  return out;
}

}  // namespace

JsonObject to_json(const ParentState& parent) {
  JsonObject out{{"run", parent.run}, {"step", parent.step}, {"depth", parent.depth}};
  if (!parent.list.empty()) {
    out["name"] = parent.name;
    out["list"] = parent.list;
    out["instance"] = parent.instance;
    out["instance_created"] = parent.instance_created.ns;
  }
  if (!parent.awaited) {
    out["detached"] = true;
  }
  if (parent.hops != 0) {
    out["hops"] = parent.hops;
  }
  if (!parent.event.empty()) {
    out["event"] = parent.event;
    out["event_source"] = parent.event_source;
  }
  return out;
}

JsonObject to_json(const ChildrenState& children) {
  JsonArray runs;
  for (const auto& child : children.runs) {
    JsonObject one{{"id", child.id}, {"name", child.name}};
    if (child.version != 0) {
      one["version"] = child.version;
    }
    if (!child.counted.empty()) {
      one["counted"] = child.counted;
    }
    if (child.refused) {
      one["refused"] = true;
    }
    runs.emplace_back(std::move(one));
  }
  JsonObject out{{"runs", std::move(runs)}};
  if (children.first) {
    out["first"] = true;
  }
  if (children.stopping) {
    out["stopping"] = true;
  }
  if (children.again) {
    out["again"] = true;
  }
  if (children.newest) {
    out["newest"] = true;
  }
  return out;
}

std::pair<std::string, std::string> started_by(const RunState& state) {
  if (state.parent && !state.parent->event.empty()) {
    return {state.parent->event, state.parent->event_source};
  }
  const auto& input = state.raw_input;
  if (!input.is_array() || input.get_array().empty()) {
    return {};
  }
  const auto& first = input.get_array().front();
  return {text(first, "id"), text(first, "source")};
}

void take_family(const Json& in, RunState* out) {
  if (const auto* parent = find(in, "parent"); parent != nullptr) {
    out->parent = parent_of(*parent);
  }
  if (const auto* children = find(in, "children"); children != nullptr) {
    out->children = children_of(*children);
  }
  if (const auto* left = find(in, "left"); left != nullptr) {
    out->left = children_of(*left);
  }
  out->children_started = static_cast<std::uint64_t>(int_or(in, "children_started", 0));
}

}  // namespace aios::workflow
