# SPDX-License-Identifier: Apache-2.0
# What the desk may settle by itself. The workflow asks `decide` and `settle` to choose its way
# early. The guard (connector_egress.rego) asks `confident` again, of what the engine remembers.
package support

import rego.v1

# Undefined when the intent is never automatic.
floor(intent) := data.params.floors[intent]

confident(intent, confidence) if confidence >= floor(intent)

# A fact that was not given is null: a negated look at a missing fact would be no answer at all.
intent := object.get(input, "intent", null)

confidence := object.get(input, "confidence", null)

customer := object.get(input, "customer", null)

order := object.get(input, "order", null)

# --- support/decide: {intent, confidence} -> {action, reasons}

decide := {"action": "automatic", "reasons": []} if {
	count(doubts) == 0
	confident(intent, confidence)
} else := {"action": "review", "reasons": sort(doubts)}

doubts contains msg if {
	not floor(intent)
	msg := sprintf("intent %v is never automatic", [intent])
}

doubts contains msg if {
	is_number(confidence)
	floor(intent) > confidence
	msg := sprintf(
		"confidence %v is below the floor %v of %v",
		[round(confidence * 100) / 100, floor(intent), intent],
	)
}

doubts contains "no confidence is known" if not is_number(confidence)

# --- support/settle: the same, with what the help desk knows: {intent, confidence, customer: id or
#     null, order: object or null, order_given}
#     -> {action: "refund" | "case" | "review", amount_cents, reasons}

settle := {"action": "review", "amount_cents": null, "reasons": sort(obstacles)} if {
	count(obstacles) > 0
} else := {"action": "refund", "amount_cents": order.amount_cents, "reasons": []} if {
	intent == "refund_request"
} else := {"action": "case", "amount_cents": null, "reasons": []}

obstacles contains msg if some msg in doubts

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
