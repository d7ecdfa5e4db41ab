# SPDX-License-Identifier: Apache-2.0
# What may be asked of the help desk. Whatever is not listed is denied. All rules look at what the
# engine itself remembers of the run: what models said (input.run.inferences), what people answered
# (input.run.reviews), what the help desk said (input.run.results). The arguments are the
# workflow's, and are held to that. README.md says what is left to the workflow.
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
	about_what_was_found
}

allow if {
	operation == "open_case"
	some review in input.run.reviews
	by_person(review)
	review.answer.action == "case"
	review.answer.intent == input.arguments.intent
	about_what_was_found
}

allow if {
	operation == "pay_refund"
	automatic("refund_request")
	amount <= data.params.refund_limit_cents
	whole_refund_of_own_order
	count(said("pay_refund")) == 0
}

allow if {
	operation == "pay_refund"
	approved_refund
	count(said("pay_refund")) == 0
}

# An answer without a person: the text names an article that this run found, which answers the one
# intent that was said and fits.
allow if {
	operation == "send_reply"
	some inference in input.run.inferences
	automatic(inference.label)
	some retrieval in input.run.retrievals
	some article in retrieval.articles
	article.article == input.arguments.article
	support.grounds(inference.label, article)
	contains(input.arguments.text, article.article)
	input.arguments.customer == only("find_customer").id
	count(said("send_reply")) == 0
}

allow if {
	operation == "send_notice"
	some inference in input.run.inferences
	automatic(inference.label)
	input.arguments.customer == only("find_customer").id
}

allow if {
	operation == "send_notice"
	some review in input.run.reviews
	by_person(review)
	input.arguments.customer == only("find_customer").id
}

deny contains msg if {
	input.connector.name != "help-desk"
	msg := sprintf("connector %v is not one of this desk's", [input.connector.name])
}

deny contains "this run did so much that not all of its results are remembered any more" if {
	not operation in {"find_customer", "find_order"}
	object.get(input.run, "results_forgotten", 0) > 0
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
		concat("", [
			"a case of intent %v wants an inference at its floor or a person's answer in this run, ",
			"and a customer and an order that this run found",
		]),
		[input.arguments.intent],
	)
}

deny contains msg if {
	operation == "pay_refund"
	not allow
	msg := sprintf(
		concat("", [
			"a refund of %v cents wants a refund_request at its floor, at most %v cents and all of an order ",
			"that this run found, of the customer it found, or a person who wanted this very amount of ",
			"this very order in this run, with another person's approval where the amount or the order's ",
			"price is above the limit or this run did not look the order up; and no run pays twice",
		]),
		[amount, data.params.refund_limit_cents],
	)
}

deny contains msg if {
	operation == "send_reply"
	not allow
	msg := concat("", [
		"an answer wants an automatic intent, an article that this run found for it, that fits and ",
		"that the text names, and the customer this run found; and no run answers twice",
	])
}

deny contains msg if {
	operation == "send_notice"
	not allow
	msg := "a notice wants an automatic intent or a person's answer, and the customer this run found"
}

deny contains msg if {
	not operation in known
	msg := sprintf("operation %v has no rule", [operation])
}

known := {"find_customer", "find_order", "open_case", "pay_refund", "send_notice", "send_reply"}

# The run's inferences say this intent, the own model's at its floor or with a second opinion to it,
# and none of them says anything else.
automatic(intent) if {
	some inference in input.run.inferences
	inference.alias == "intent"
	inference.label == intent
	enough(intent, inference.confidence)
	support.familiar(inference)
	every other in input.run.inferences {
		other.label == intent
	}
}

enough(intent, confidence) if support.confident(intent, confidence)

enough(intent, confidence) if {
	some other in input.run.inferences
	other.alias == "second-opinion"
	support.seconded(intent, confidence, other)
}

# What the help desk said in this run when it was asked so.
said(name) := {entry.result |
	some entry in input.run.results
	entry.connector == "help-desk"
	entry.operation == name
}

# The same, where it never said anything else: who looks up several cannot choose among them.
only(name) := result if {
	count(said(name)) == 1
	some result in said(name)
}

whole_refund_of_own_order if {
	order := only("find_order")
	order.id == input.arguments.order
	order.customer == only("find_customer").id
	order.amount_cents == amount
	order.refunded_cents == 0
}

about_what_was_found if {
	found("customer", "find_customer")
	found("order", "find_order")
}

# An argument that names nothing is about nothing.
found(argument, _) if object.get(input.arguments, argument, null) == null

found(argument, name) if input.arguments[argument] == only(name).id

approved_refund if {
	some review in input.run.reviews
	by_person(review)
	review.answer.action == "refund"
	review.answer.order == input.arguments.order
	review.answer.amount_cents == amount
	enough_people(review)
}

# One person's word is enough for an order that costs no more than the limit. A smaller part of a
# dearer one is not: any number of parts, each below the limit and paid at the same time, make it all.
enough_people(_) if {
	amount <= data.params.refund_limit_cents
	order := only("find_order")
	order.id == input.arguments.order
	order.amount_cents <= data.params.refund_limit_cents
}

enough_people(review) if {
	is_string(review.approved_by)
	review.approved_by != ""
	review.approved_by != review.by
}

by_person(review) if {
	is_string(review.by)
	review.by != ""
}
