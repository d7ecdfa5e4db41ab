// SPDX-License-Identifier: Apache-2.0
// The table that policy_input.h declares; policy_input.cc holds facts against it.
#include "govern/policy_input.h"

#include <array>

namespace aios::govern {
namespace {

constexpr std::array common_members = {
    InputMember{"point", "text", "", "Name of the guard point."},
    InputMember{"tenant", "object", "", "Whose data these are."},
    InputMember{"tenant.id", "text", "", "The tenant's id."},
    InputMember{"tenant.region", "text", "", "Where its data may stay."},
    InputMember{"principal", "object", "", "Who acts."},
    InputMember{"principal.id", "text", "", "Its id; empty: nobody is named."},
    InputMember{"principal.kind", "text", "", "key, person, workflow or system."},
    InputMember{"principal.roles", "texts", "", "Its roles."},
    InputMember{"labels", "texts", "",
                "Of the data in hand, any of personal, redacted, confidential and untrusted."},
};

constexpr std::array run_members = {
    InputMember{"run", "object*", "",
                "What the engine itself remembers of the run that asks; empty where none does."},
    InputMember{"run.workflow", "text", "", "namespace/name of its workflow."},
    InputMember{"run.id", "text", "", "Its id."},
    InputMember{"run.step", "text", "", "JSON pointer of the task that asks."},
    InputMember{"run.inferences", "list", "", "What models said, oldest first."},
    InputMember{"run.inferences[].alias", "text", "", "The model's alias."},
    InputMember{"run.inferences[].label", "any", "where the model gave it", "What it said."},
    InputMember{"run.inferences[].confidence", "number", "where the model gave it", "0 to 1."},
    InputMember{"run.inferences[].novelty", "any", "where the model gave it",
                "How unlike its training examples the text is."},
    InputMember{"run.inferences[].version", "any", "where the model gave it",
                "Version of the model."},
    InputMember{"run.inferences[].reasons", "any", "where the model gave it",
                "The terms that weighed most, {term, weight} each."},
    InputMember{"run.inferences[].too_large", "boolean", "of an entry over the bound",
                "Its large members are null."},
    InputMember{"run.retrievals", "list", "", "What was looked up in articles, oldest first."},
    InputMember{"run.retrievals[].corpus", "any", "", "Digest of the articles as they were."},
    InputMember{"run.retrievals[].articles", "any", "",
                "Those found: {article, intents, fit} each."},
    InputMember{"run.retrievals[].too_large", "boolean", "of an entry over the bound",
                "Its large members are null."},
    InputMember{"run.results", "list", "", "What business systems answered, oldest first."},
    InputMember{"run.results[].connector", "text", "", "The connector's name."},
    InputMember{"run.results[].operation", "text", "", "Its operation."},
    InputMember{"run.results[].result", "any", "", "What the operation's 'remember' makes of it."},
    InputMember{"run.results[].too_large", "boolean", "of an entry over the bound",
                "Its large members are null."},
    InputMember{"run.results_forgotten", "number", "", "How many results gave way to newer ones."},
    InputMember{"run.reviews", "list", "", "What people answered, oldest first."},
    InputMember{"run.reviews[].id", "text", "", "The review's id."},
    InputMember{"run.reviews[].answer", "any", "", "The answer as the form has it."},
    InputMember{"run.reviews[].by", "text", "", "Who answered."},
    InputMember{"run.reviews[].approved_by", "text", "where another one approved it", "Who did."},
    InputMember{"run.reviews[].too_large", "boolean", "of an entry over the bound",
                "Its large members are null."},
};

constexpr std::array event_admit_members = {
    InputMember{"event", "object", "", "The event that wants in."},
    InputMember{"event.type", "text", "", "Its type."},
    InputMember{"event.source", "text", "", "Its source."},
    InputMember{"event.subject", "text", "", "Its subject; empty: none."},
    InputMember{"event.via", "text", "",
                "The bundle's source it came by; empty: the API, or what a run emitted."},
    InputMember{"event.size_bytes", "number", "", "Bytes of it as it came."},
};

constexpr std::array pre_model_members = {
    InputMember{"model", "object", "", "The model that is to be asked."},
    InputMember{"model.alias", "text", "", "The alias it is asked by."},
    InputMember{"model.name", "text", "", "What the alias names now."},
    InputMember{"model.version", "any", "", "Its version."},
    InputMember{"model.provider", "text", "", "Who runs it."},
    InputMember{"model.region", "text", "", "Where: local is this process."},
    InputMember{"content", "object", "", "What the text holds, found in the text itself."},
    InputMember{"content.personal", "texts", "", "Kinds of personal data; empty: none was found."},
    InputMember{"content.characters", "number", "", "Length of all its texts."},
};

constexpr std::array post_model_members = {
    InputMember{"model", "object", "", "The model that was asked."},
    InputMember{"model.alias", "text", "", "The alias it was asked by."},
    InputMember{"model.name", "text", "", "What the alias named."},
    InputMember{"model.version", "any", "", "Its version."},
    InputMember{"model.provider", "text", "", "Who runs it."},
    InputMember{"model.region", "text", "", "Where: local is this process."},
    InputMember{"result", "object", "", "What it said."},
    InputMember{"result.label", "text", "", "Its label; empty where it gives none."},
    InputMember{"result.confidence", "number", "", "0 to 1; 0 where it gives none."},
};

constexpr std::array egress_members = {
    InputMember{"connector", "object", "", "The business system, or delivery/<subscription>."},
    InputMember{"connector.name", "text", "", "Its name."},
    InputMember{"connector.region", "text", "", "Where it is."},
    InputMember{"connector.operation", "text", "",
                "The operation; of a delivery callback or event."},
    InputMember{"connector.effect", "text", "", "read, key, lookup or none."},
    InputMember{"http", "object", "for call: http", "The request."},
    InputMember{"http.method", "text", "", "Its method."},
    InputMember{"http.host", "text", "", "The host, as the URL has it."},
    InputMember{"http.path", "text", "", "The path."},
    InputMember{"arguments", "any", "", "What is to be sent; of a delivery the CloudEvent."},
    InputMember{"content", "object", "", "What the arguments hold, found in them."},
    InputMember{"content.personal", "texts", "", "Kinds of personal data; empty: none was found."},
};

constexpr std::array review_members = {
    InputMember{"review", "object", "", "The question to people."},
    InputMember{"review.title", "text", "", "Its title."},
    InputMember{"review.assignees", "texts", "",
                "Roles that may answer; in phases assign and escalate those that are to be asked."},
    InputMember{"review.form", "text", "", "Name of its form."},
    InputMember{"review.phase", "text", "",
                "open, answer, approve, send_back, assign or escalate."},
    InputMember{"review.priority", "number", "", "Higher is more urgent."},
    InputMember{"review.answer", "any", "in phases answer, approve and send_back",
                "What was answered."},
    InputMember{"review.by", "text", "in phases approve and send_back", "Who proposed it."},
};

constexpr std::array incident_members = {
    InputMember{"incident", "object", "",
                "A call of which nobody knows whether it happened, and what a person says of it."},
    InputMember{"incident.id", "text", "", "Its id."},
    InputMember{"incident.phase", "text", "", "settle, approve or send_back."},
    InputMember{"incident.word", "text", "", "retry, happened or fail."},
    InputMember{"incident.result", "any", "where the word is happened",
                "What the call is said to have given."},
    InputMember{"incident.by", "text", "in phases approve and send_back", "Who proposed it."},
    InputMember{"incident.step", "text", "", "JSON pointer of the task that called."},
    InputMember{"incident.function", "text", "", "The function it called, such as connector."},
    InputMember{"incident.call", "any", "",
                "The call's arguments, such as {connector, operation, arguments}; null where they "
                "were not kept."},
};

constexpr std::array promote_members = {
    InputMember{"model", "object", "", "The version that is to serve."},
    InputMember{"model.name", "text", "", "The model's name."},
    InputMember{"model.version", "number", "", "The version."},
    InputMember{"model.alias", "text", "", "The alias it is to serve under."},
    InputMember{"metrics", "object", "", "Measured on examples it did not learn from."},
    InputMember{"metrics.examples", "number", "", "How many."},
    InputMember{"metrics.accuracy", "number", "", "Part that came out right."},
    InputMember{"metrics.macro_recall", "number", "", "Mean over the labels."},
    InputMember{"metrics.log_loss", "number", "", "Of the right label's probability."},
    InputMember{"metrics.calibration_error", "number", "", "Confidence against being right."},
    InputMember{"metrics.unmeasured", "texts", "", "Labels without such an example."},
    InputMember{"gates", "object", "", "What the model's own file demands."},
    InputMember{"gates.passed", "boolean", "", "Whether all of it holds."},
    InputMember{"gates.failed", "texts", "", "What does not."},
    InputMember{"comparison", "object?", "", "Against what serves now; null where nothing does."},
    InputMember{"comparison.champion", "number", "", "The version that serves."},
    InputMember{"comparison.rollback", "boolean", "", "This version served before: not compared."},
    InputMember{"comparison.passed", "boolean", "unless rollback", "It does not lose."},
    InputMember{"comparison.rows", "number", "unless rollback", "Examples both were asked."},
    InputMember{"comparison.lost", "number", "unless rollback", "Right before, wrong now."},
    InputMember{"comparison.won", "number", "unless rollback", "Wrong before, right now."},
    InputMember{"comparison.p_worse", "number", "unless rollback",
                "How surprising the losses were of an equal."},
    InputMember{"comparison.losses", "texts", "unless rollback", "Why it loses."},
    InputMember{"heldout", "text", "",
                "sent where the training's request held the data, else bundle: the examples the "
                "version was measured on."},
    InputMember{"proposer", "object", "", "Who asks for the promotion."},
    InputMember{"proposer.id", "text", "", "The id."},
    InputMember{"four_eyes", "boolean", "", "Somebody else trained it."},
    InputMember{"removal", "boolean", "when an alias is taken away",
                "True: the version is to serve under this alias no more."},
};

}  // namespace

bool has_run(GuardPoint point) {
  return point == GuardPoint::pre_model_call || point == GuardPoint::post_model_call ||
         point == GuardPoint::connector_egress || point == GuardPoint::review_assign ||
         point == GuardPoint::incident_settle;
}

std::span<const InputMember> common_input() { return common_members; }
std::span<const InputMember> run_input() { return run_members; }

std::span<const InputMember> input_of(GuardPoint point) {
  switch (point) {
    case GuardPoint::event_admit: return event_admit_members;
    case GuardPoint::pre_model_call: return pre_model_members;
    case GuardPoint::post_model_call: return post_model_members;
    case GuardPoint::connector_egress: return egress_members;
    case GuardPoint::review_assign: return review_members;
    case GuardPoint::model_promote: return promote_members;
    case GuardPoint::incident_settle: return incident_members;
    case GuardPoint::question: return {};
  }
  return {};
}

}  // namespace aios::govern
