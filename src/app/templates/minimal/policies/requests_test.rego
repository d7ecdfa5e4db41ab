# Rules named test_... run with `aios check`; they are not deployed.
package requests_test

import data.aios.event_admit
import data.aios.review_assign
import data.requests
import rego.v1

test_at_the_limit_nobody_is_asked if {
	requests.decide.action == "grant" with data.params as {"limit": 100} with input as {"amount": 100}
}

test_above_the_limit_a_person_is_asked if {
	answer := requests.decide with data.params as {"limit": 100} with input as {"amount": 100.01}
	answer == {"action": "ask", "reason": "100.01 is above the limit of 100"}
}

test_only_requests_come_in if {
	event_admit.allow with input as {"event": {"type": "com.example.@NAME@.request.v1", "size_bytes": 300}}
	not event_admit.allow with input as {"event": {"type": "com.example.other.v1", "size_bytes": 300}}
}

test_only_reviewers_are_asked if {
	review_assign.allow with input as {"review": {"assignees": ["reviewer"]}}
	not review_assign.allow with input as {"review": {"assignees": ["reviewer", "ingest"]}}
	not review_assign.allow with input as {"review": {"assignees": []}}
}
