// SPDX-License-Identifier: Apache-2.0
#include "gateway/detail/call.h"

#include "core/text.h"
#include "govern/audit.h"
#include "govern/policy_input.h"

#include <fmt/format.h>

namespace aios::gateway::detail {

JsonObject Call::model_facts() const {
  return {{"alias", request.alias},
          {"name", target.model},
          {"version", target.version},
          {"provider", target.provider->name()},
          {"region", target.provider->region()}};
}

JsonObject Call::before() const {
  JsonArray personal;
  for (const std::string& kind : content.personal) {
    personal.emplace_back(kind);
  }
  return govern::held(
      govern::GuardPoint::pre_model_call,
      {{"model", model_facts()},
       {"content", {{"personal", std::move(personal)}, {"characters", content.characters}}},
       {"run", request.run}});
}

JsonObject Call::after(const Json& output) const {
  return govern::held(govern::GuardPoint::post_model_call,
                      {{"model", model_facts()},
                       {"result",
                        {{"label", text_or(output, "label", "")},
                         {"confidence", number_or(output, "confidence", 0)}}},
                       {"run", request.run}});
}

store::AuditLeaf Call::leaf(const Context& ctx, Time now, govern::LeafKind kind,
                            std::string_view outcome, const Json& output) const {
  govern::LeafFacts facts(kind);
  facts.stream = request.stream;
  facts.step = request.step;
  facts.outcome = outcome;
  facts.facts = model_facts();
  if (output.is_object()) {
    facts.facts["label"] = text_or(output, "label", "");
    facts.facts["confidence"] = number_or(output, "confidence", 0);
  }
  for (const auto& member : more) {
    facts.facts[member.key()] = member.value();
  }
  JsonArray verdicts;
  for (const govern::Decision& decision : decisions) {
    verdicts.emplace_back(name_of(decision.verdict));
  }
  facts.facts["verdicts"] = std::move(verdicts);
  facts.decisions = decisions;
  facts.contents = contents;
  return govern::make_leaf(ctx, now, facts);
}

Result<void> carry_out(const govern::Decision& decision, Json* input) {
  for (const JsonObject& obligation : decision.obligations) {
    const Json whole = obligation;
    const std::string_view type = text_or(whole, "type", "");
    if (type == "redact" && input != nullptr) {
      auto masked = mask(input);
      if (!masked.ok()) {
        return masked;
      }
      continue;
    }
    return Error(Code::policy_denied,
                 fmt::format("the policy demands '{}' at {}, which the gateway cannot do",
                             excerpt(type, 40), name_of(decision.point)))
        .page(802);
  }
  return {};
}

}  // namespace aios::gateway::detail
