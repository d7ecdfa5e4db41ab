# SPDX-License-Identifier: Apache-2.0
# What the desk may settle by itself. The workflow asks `decide` and `settle` to choose its way
# early. The guard (connector_egress.rego) asks `confident` again, of what the engine remembers.
package support

import rego.v1

# Undefined when the intent is never automatic.
floor(intent) := data.params.floors[intent]

confident(intent, confidence) if confidence >= floor(intent)

# Like what the model was trained on: 0.6 is stranger than six in ten of the training texts. A model
# that says nothing of it is of a time before there was a word for it.
familiar(said) if object.get(said, "novelty", 0) <= object.get(data.params, "novelty_max", 1)

# Nearly: a second opinion may make up for the rest.
nearly(intent, confidence) if {
	floor(intent) > confidence
	confidence >= data.params.second_opinion_from
}

# What both models say counts as if the own one had been sure. Whether it may is policy, here, and
# not the workflow's to decide. Money is paid on the own model's word alone.
seconded(intent, confidence, other) if {
	data.params.second_opinion
	intent != "refund_request"
	nearly(intent, confidence)
	other.label == intent
	other.confidence >= data.params.second_opinion_min
}

# An article of the knowledge base that answers this intent, and fits what was asked.
grounds(intent, article) if {
	intent in article.intents
	article.fit >= data.params.answer_fit_min
}

# A fact that was not given is null: a negated look at a missing fact would be no answer at all.
intent := object.get(input, "intent", null)

confidence := object.get(input, "confidence", null)

customer := object.get(input, "customer", null)

order := object.get(input, "order", null)

second := object.get(input, "second", null)

article := object.get(input, "article", null)

# --- support/decide: {intent, confidence} -> {action, reasons, second_opinion}: whether one is worth
#     asking for

decide := {"action": "automatic", "reasons": [], "second_opinion": false} if {
	count(doubts) == 0
	confident(intent, confidence)
} else := {"action": "review", "reasons": sort(doubts), "second_opinion": worth_a_second}

default worth_a_second := false

worth_a_second if {
	data.params.second_opinion
	is_number(confidence)
	intent != "refund_request"
	nearly(intent, confidence)
}

doubts contains msg if {
	not floor(intent)
	msg := sprintf("intent %v is never automatic", [intent])
}

doubts contains msg if {
	is_number(confidence)
	floor(intent) > confidence
	not seconded(intent, confidence, second)
	msg := sprintf(
		"confidence %v is below the floor %v of %v",
		[round(confidence * 100) / 100, floor(intent), intent],
	)
}

doubts contains msg if {
	is_object(second)
	is_string(second.label)
	second.label != intent
	msg := sprintf("a second opinion says %v", [second.label])
}

doubts contains msg if {
	not familiar(input)
	msg := sprintf("the text is unlike what the model knows: novelty %v", [round(input.novelty * 100) / 100])
}

doubts contains "no confidence is known" if not is_number(confidence)

# --- support/settle: the same, with a second opinion if one was asked for, the article that was
#     found, and what the help desk knows: {intent, confidence, second: {label, confidence} or null,
#     article: {intents, fit} or null, customer: id or null, order: object or null, order_given}
#     -> {action: "refund" | "case" | "review", amount_cents, reasons}

settle := {"action": "review", "amount_cents": null, "reasons": sort(obstacles)} if {
	count(obstacles) > 0
} else := {"action": "refund", "amount_cents": order.amount_cents, "reasons": []} if {
	intent == "refund_request"
} else := {"action": "case", "amount_cents": null, "reasons": []}

obstacles contains msg if some msg in doubts

# A refund is its own answer; any other wants a ground.
obstacles contains "no article answers it" if {
	intent != "refund_request"
	not grounds(intent, article)
}

obstacles contains "the sender is not a known customer" if not is_string(customer)

obstacles contains "the order named is not known" if {
	object.get(input, "order_given", true)
	not is_object(order)
}

obstacles contains "the order belongs to another customer" if {
	is_object(order)
	object.get(order, "customer", null) != customer
}

obstacles contains "a refund needs an order" if {
	intent == "refund_request"
	not is_object(order)
}

obstacles contains "the order has no amount" if {
	intent == "refund_request"
	is_object(order)
	not is_number(object.get(order, "amount_cents", null))
}

obstacles contains msg if {
	intent == "refund_request"
	order.refunded_cents > 0
	msg := sprintf("%v cents of the order are refunded already", [order.refunded_cents])
}

obstacles contains msg if {
	intent == "refund_request"
	order.amount_cents > data.params.refund_limit_cents
	msg := sprintf(
		"refund of %v cents is above the limit of %v",
		[order.amount_cents, data.params.refund_limit_cents],
	)
}
