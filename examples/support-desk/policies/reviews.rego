# SPDX-License-Identifier: Apache-2.0
# Who may be asked: only people who are there for it. And whose word is not enough alone: money above
# the limit, or any part of an order that costs more than it, goes back when another person has
# approved the answer (connector_egress.rego holds the payment to that).
package aios.review_assign

import rego.v1

default allow := false

allow if {
	count(input.review.assignees) > 0
	every role in input.review.assignees {
		role in {"reviewer", "approver"}
	}
}

deny contains msg if {
	some role in input.review.assignees
	not role in {"reviewer", "approver"}
	msg := sprintf("role %v does not answer reviews of this desk", [role])
}

obligations contains {"type": "approve", "assignees": ["approver"]} if {
	input.review.phase == "answer"
	input.review.answer.action == "refund"
	not one_is_enough
}

one_is_enough if {
	input.review.answer.amount_cents <= data.params.refund_limit_cents
	orders := {entry.result |
		some entry in input.run.results
		entry.connector == "help-desk"
		entry.operation == "find_order"
	}
	count(orders) == 1
	some order in orders
	order.id == input.review.answer.order
	order.amount_cents <= data.params.refund_limit_cents
}
