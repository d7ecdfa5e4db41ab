# SPDX-License-Identifier: Apache-2.0
# Who may be asked: only people who are there for it. And whose word is not enough alone: money above
# the limit goes back when another person has approved the answer (connector_egress.rego holds the
# payment to that).
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
	input.review.answer.amount_cents > data.params.refund_limit_cents
}
