// SPDX-License-Identifier: Apache-2.0
// What the sources of a bundle make, and whether anything of the bundle takes it.
#include "bundle/detail/findings.h"
#include "bundle/detail/layout.h"
#include "govern/event_facts.h"

#include <set>

namespace aios::bundle {
namespace {

constexpr int page_layout = 1113;

/// The types of the events that a workflow begins with or waits for: of every `with: {type: ...}`
/// but those that it emits. `open`: one of them is known before a run only.
void collect_types(const Json& node, std::set<std::string>* types, bool* open) {
  if (node.is_array()) {
    for (const Json& item : node.get_array()) {
      collect_types(item, types, open);
    }
  }
  if (!node.is_object()) {
    return;
  }
  for (const auto& member : node.get_object()) {
    if (member.key() == "emit") {
      continue;
    }
    const Json* type = member.key() == "with" ? find(member.value(), "type") : nullptr;
    if (type != nullptr) {
      *open = *open || !type->is_string() || holds_expression(*type);
      types->insert(std::string(text_or(member.value(), "type", "")));
    }
    collect_types(member.value(), types, open);
  }
}

/// What policy sees of a schedule's event: with a plain type, source and subject nothing else of it
/// could change what policy says.
std::optional<JsonObject> facts_of(const Json& source, const std::string& type) {
  const Json* event = find(source, "event");
  const auto plain = [event](std::string_view member, std::string absent) {
    const Json* given = find(*event, member);
    return given == nullptr ? std::optional(std::move(absent))
           : given->is_string() && !holds_expression(*given)
               ? std::optional(plain_text(*event, member))
               : std::nullopt;
  };
  const auto from = plain("source", fmt::format("/schedules/{}", text_or(source, "name", "")));
  const auto subject = plain("subject", "");
  if (text_or(source, "kind", "") != "schedule" || !from || !subject) {
    return std::nullopt;
  }
  return govern::event_admit_facts({.type = type,
                                    .source = *from,
                                    .subject = *subject,
                                    .via = text_or(source, "name", ""),
                                    .size_bytes = 100});
}

/// Whose events they are, as when the source runs.
Context context_of(const Json& source) {
  Context ctx = system_context(default_tenant(), "check");
  auto principal = std::make_shared<Principal>();
  principal->id = fmt::format("source:{}", text_or(source, "name", ""));
  principal->kind = "system";
  ctx.principal = std::move(principal);
  return ctx;
}

}  // namespace

void check_triggers(const Bundle& bundle, const govern::Guard& guard, Checked* checked) {
  std::set<std::string> types;
  bool open = bundle.workflows.empty();  // what has none is told of already
  for (const auto& file : bundle.workflows) {
    const auto document = expr::parse_yaml(file.text, file.path);
    if (!document.ok()) {
      return;  // its own check says so
    }
    collect_types(document->value, &types, &open);
  }
  for (const auto& file : bundle.sources) {
    const auto document = expr::parse_yaml(file.text, file.path);
    const Json* event = document.ok() ? find(document->value, "event") : nullptr;
    const std::string type = event == nullptr ? "" : plain_text(*event, "type");
    if (type.empty()) {
      continue;
    }
    Findings findings(file.path, *document, checked);
    if (!open && !types.contains(type)) {
      findings.warn("/event/type", Code::not_found,
                    fmt::format("no workflow begins with or waits for an event of type '{}': what "
                                "comes becomes a dead letter{}",
                                type, did_you_mean(type, {types.begin(), types.end()})),
                    page_layout);
      continue;
    }
    auto facts = facts_of(document->value, type);
    if (facts &&
        !guard.ask(context_of(document->value), govern::GuardPoint::event_admit, std::move(*facts))
             .allowed()) {
      findings.warn("/event/type", Code::policy_denied,
                    fmt::format("policy denies the events of this schedule (event_admit, type "
                                "'{}'): each firing would be refused",
                                type),
                    page_layout);
    }
  }
}

}  // namespace aios::bundle
