# SPDX-License-Identifier: Apache-2.0
# Who may be asked: only people who are there for it.
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
