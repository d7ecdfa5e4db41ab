# Asked by the guard: who may be asked.
package aios.review_assign

import rego.v1

default allow := false

allow if {
	count(input.review.assignees) > 0
	every role in input.review.assignees {
		role == "reviewer"
	}
}
