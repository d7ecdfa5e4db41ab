// SPDX-License-Identifier: Apache-2.0
// redact: personal data in a text replaced by marks, and looked for again. A business step: leaving
// it out lets no raw data out, because the gateway looks at what a text really holds.
#include "govern/personal_data.h"
#include "govern/redaction.h"
#include "workflow/function.h"

#include <utility>

namespace aios::workflow {
namespace {

class Redact final : public Function {
 public:
  Result<CallPlan> plan(const Context& /*ctx*/, const CallRequest& /*request*/) override {
    return CallPlan();
  }
  Task<CallOutcome> perform(Context /*ctx*/, PreparedCall /*prepared*/,
                            CallRequest request) override {
    CallOutcome out;
    const auto* text = find(request.arguments, "text");
    if (text == nullptr || !text->is_string()) {
      out.outcome = Outcome::failed;
      out.error = Error(Code::invalid_argument, "redact: 'text' is not a string");
      co_return out;
    }
    Json masked = *text;
    auto done = govern::mask_personal_data(&masked);
    if (!done.ok()) {
      out.outcome = Outcome::failed;
      out.error = std::move(done).error();
      co_return out;
    }
    JsonArray findings;
    for (const auto& finding : govern::find_personal_data(view(text->get_string()))) {
      findings.emplace_back(
          JsonObject{{"kind", finding.kind}, {"begin", finding.begin}, {"end", finding.end}});
    }
    out.result = JsonObject{{"text", std::move(masked)}, {"findings", std::move(findings)}};
    co_return out;
  }
};

}  // namespace

void register_function_redact(FunctionRegistry& registry) {
  FunctionEntry entry;
  entry.name = "redact";
  entry.version = "1.0.0";
  entry.summary = "Replaces personal data in a text by marks.";
  entry.arguments_schema = R"({"type": "object", "required": ["text"],
    "additionalProperties": false,
    "properties": {"text": {"type": "string", "description": "The text."}}})";
  entry.result_schema = R"({"type": "object", "required": ["text", "findings"],
    "properties": {
      "text": {"description": "The text with a mark in place of each finding."},
      "findings": {"description": "{kind, begin, end} each, in bytes of the text as given."}}})";
  entry.make = [](const FunctionServices&) -> std::unique_ptr<Function> {
    return std::make_unique<Redact>();
  };
  registry.add(std::move(entry));
}

}  // namespace aios::workflow
