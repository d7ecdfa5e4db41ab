// SPDX-License-Identifier: Apache-2.0
// review: a question to people. The question and the parked run are one commit; the answer is the
// step's output.
#include "review/review.h"
#include "workflow/function.h"

#include <utility>

namespace aios::workflow {
namespace {

Json member_of(const Json& value, std::string_view name) {
  const auto* found = find(value, name);
  return found == nullptr ? Json() : *found;
}

class Review final : public Function {
 public:
  explicit Review(const FunctionServices& services)
      : reviews_(services.reviews),
        form_(services.form) {}

  Result<CallPlan> plan(const Context& /*ctx*/, const CallRequest& request) override {
    if (texts_of(find(request.arguments, "assignees")).empty()) {
      return Error(Code::invalid_argument,
                   "review: 'assignees' has no value that is a list of roles")
          .page(1040);
    }
    return CallPlan();
  }

  /// Reviews::open asks the guard at review_assign.
  Task<CallOutcome> perform(Context ctx, PreparedCall /*prepared*/, CallRequest request) override {
    CallOutcome out;
    auto asked = question(ctx, request);
    if (!asked.ok()) {
      out.outcome = Outcome::failed;
      out.error = std::move(asked).error();
      co_return out;
    }
    auto ask = std::move(*asked);
    auto opened = co_await reviews_->open(ctx, std::move(ask), std::move(request.run));
    if (!opened.ok()) {
      co_return outcome_of(std::move(opened).refusal());
    }
    out.leaves.push_back(std::move(opened->leaf));
    out.writes.push_back(std::move(opened->write));
    out.wait_for_review = opened->id;
    out.wait_until = opened->next_step;
    co_return out;
  }

 private:
  static Result<void> take_times(const Json& given, review::ReviewRequest& out) {
    if (const auto due = text_or(given, "due", ""); !due.empty()) {
      auto parsed = parse_iso_duration(due);
      if (!parsed.ok()) {
        return std::move(parsed).error();
      }
      out.due = *parsed;
    }
    auto on_timeout = review::on_timeout_of(member_of(given, "onTimeout"));
    if (!on_timeout.ok()) {
      return std::move(on_timeout).error();
    }
    out.on_timeout = *on_timeout;
    auto escalation = review::escalation_of(member_of(given, "escalation"));
    if (!escalation.ok()) {
      return std::move(escalation).error();
    }
    out.escalation = std::move(*escalation);
    return {};
  }

  Result<review::ReviewRequest> question(const Context& ctx, const CallRequest& request) const {
    const auto& given = request.arguments;
    review::ReviewRequest out;
    out.title = std::string(text_or(given, "title", ""));
    out.form = std::string(text_or(given, "form", ""));
    auto schema = form_(ctx.tenant, out.form);
    if (!schema.ok()) {
      return std::move(schema).error();
    }
    out.form_schema = std::move(*schema);
    out.evidence = member_of(given, "evidence");
    out.suggestion = member_of(given, "suggestion");
    out.assignees = texts_of(find(given, "assignees"));
    out.dataset = std::string(text_or(given, "dataset", ""));
    auto timed = take_times(given, out);
    if (!timed.ok()) {
      return std::move(timed).error();
    }
    auto priority = review::priority_of(member_of(given, "priority"));
    if (!priority.ok()) {
      return std::move(priority).error();
    }
    out.priority = *priority;
    out.workflow = text_or(request.run, "workflow", "");
    out.subject = request.subject;
    out.run_id = request.run_id;
    out.step = request.step;
    return out;
  }

  review::Reviews* reviews_;
  std::function<Result<Json>(const TenantId&, std::string_view)> form_;
};

}  // namespace

void register_function_review(FunctionRegistry& registry) {
  FunctionEntry entry;
  entry.name = "review";
  entry.version = "1.0.0";
  entry.summary = "Asks a person; the answer is the output.";
  entry.arguments_schema = R"({"type": "object", "required": ["title", "form", "assignees"],
    "additionalProperties": false,
    "properties": {
      "title": {"type": "string", "description": "The question in a line."},
      "form": {"type": "string", "description": "Name of a form of forms/: what an answer is."},
      "evidence": {"description": "What the person is shown."},
      "suggestion": {"description": "An answer to start from."},
      "assignees": {"type": ["array", "string"], "minItems": 1,
        "description": "Roles that may answer."},
      "due": {"type": "string", "description": "ISO 8601 duration until it is overdue."},
      "onTimeout": {"type": "string",
        "description": "When it is overdue: keep it open (the default) or fail the step."},
      "escalation": {"type": ["array", "string"],
        "description": "{after, assignees} each: roles that are asked besides, so much later."},
      "priority": {"description": "low, normal, high or a whole number; higher is asked first."},
      "dataset": {"type": "string", "description": "Data set that the answer is a label of."}}})";
  entry.result_schema = R"({"type": "object", "required": ["decision", "answer", "by", "at"],
    "properties": {
      "decision": {"description": "answered."},
      "answer": {"description": "As the form has it."},
      "by": {"description": "Who answered."},
      "at": {"description": "When (RFC 3339)."},
      "corrected": {"description": "Whether it differs from the suggestion."},
      "approved_by": {"description": "Who approved it, where the policy wanted that."}}})";
  entry.make = [](const FunctionServices& services) -> std::unique_ptr<Function> {
    return std::make_unique<Review>(services);
  };
  registry.add(std::move(entry));
}

}  // namespace aios::workflow
