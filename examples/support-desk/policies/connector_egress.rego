# SPDX-License-Identifier: Apache-2.0
# What may be asked of the help desk. Whatever is not listed is denied. The intent, its confidence
# and what a person answered are what the engine itself remembers of the run (input.run.inferences,
# input.run.reviews): a workflow without its `policy` step is refused just the same. The arguments
# are the workflow's. A refund that a person approved is held to the order and the amount of the
# answer; one without a person only to the limit. README.md says what that leaves to the workflow.
package aios.connector_egress

import data.support
import rego.v1

default allow := false

operation := input.connector.operation

amount := input.arguments.amount_cents

allow if operation in {"find_customer", "find_order"}

allow if {
	operation == "open_case"
	automatic(input.arguments.intent)
}

allow if {
	operation == "open_case"
	some review in input.run.reviews
	by_person(review)
	review.answer.action == "case"
	review.answer.intent == input.arguments.intent
}

allow if {
	operation == "pay_refund"
	automatic("refund_request")
	amount <= data.params.refund_limit_cents
}

allow if {
	operation == "pay_refund"
	approved_refund
}

allow if {
	operation == "send_notice"
	some inference in input.run.inferences
	automatic(inference.label)
}

allow if {
	operation == "send_notice"
	some review in input.run.reviews
	by_person(review)
}

deny contains msg if {
	input.connector.name != "help-desk"
	msg := sprintf("connector %v is not one of this desk's", [input.connector.name])
}

deny contains msg if {
	count(input.content.personal) > 0
	input.connector.region != input.tenant.region
	msg := sprintf(
		"personal data (%v) would leave region %v for %v",
		[concat(", ", input.content.personal), input.tenant.region, input.connector.region],
	)
}

deny contains msg if {
	operation == "open_case"
	not allow
	msg := sprintf(
		"a case of intent %v wants an inference at its floor or a person's answer in this run",
		[input.arguments.intent],
	)
}

deny contains msg if {
	operation == "pay_refund"
	not allow
	msg := sprintf(
		concat("", [
			"a refund of %v cents wants a refund_request at its floor and at most %v cents, ",
			"or a person who approved this very amount of this very order in this run",
		]),
		[amount, data.params.refund_limit_cents],
	)
}

deny contains msg if {
	operation == "send_notice"
	not allow
	msg := "a notice wants an automatic intent or a person's answer in this run"
}

deny contains msg if {
	not operation in known
	msg := sprintf("operation %v has no rule", [operation])
}

known := {"find_customer", "find_order", "open_case", "pay_refund", "send_notice"}

# The run's inferences say this intent at its floor, and none of them says anything else.
automatic(intent) if {
	some inference in input.run.inferences
	inference.alias == "intent"
	inference.label == intent
	support.confident(intent, inference.confidence)
	every other in input.run.inferences {
		other.label == intent
	}
}

approved_refund if {
	some review in input.run.reviews
	by_person(review)
	review.answer.action == "refund"
	review.answer.order == input.arguments.order
	review.answer.amount_cents == amount
}

by_person(review) if {
	is_string(review.by)
	review.by != ""
}
