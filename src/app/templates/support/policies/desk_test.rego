# Rules named test_... run with `aios check`; they are not deployed.
package desk_test

import data.aios.connector_egress
import data.aios.event_admit
import data.aios.model_promote
import data.aios.pre_model_call
import data.aios.review_assign
import data.desk
import rego.v1

params := {"floors": {"refund_request": 0.7}}

test_at_the_floor_no_person_is_asked if {
	desk.decide.action == "case" with data.params as params
		with input as {"intent": "refund_request", "confidence": 0.7}
}

test_below_it_and_for_what_has_no_floor_a_person_is_asked if {
	desk.decide.action == "review" with data.params as params
		with input as {"intent": "refund_request", "confidence": 0.69}
	desk.decide.action == "review" with data.params as params
		with input as {"intent": "other", "confidence": 0.99}
}

ask := {
	"connector": {"name": "help-desk", "operation": "open_case"},
	"arguments": {"intent": "refund_request"},
	"content": {"personal": []},
	"run": {"inferences": [{"label": "refund_request", "confidence": 0.9}], "reviews": []},
}

test_a_case_of_what_the_model_is_sure_of_may_leave if {
	connector_egress.allow with data.params as params with input as ask
}

test_a_case_of_another_intent_may_not if {
	other := object.union(ask, {"arguments": {"intent": "order_status"}})
	not connector_egress.allow with data.params as params with input as other
}

test_a_case_that_a_person_wants_may_leave if {
	person := {"inferences": [], "reviews": [{"by": "ann", "answer": {"intent": "refund_request"}}]}
	connector_egress.allow with data.params as params with input as object.union(ask, {"run": person})
}

test_personal_data_stays if {
	personal := object.union(ask, {"content": {"personal": ["email"]}})
	not connector_egress.allow with data.params as params with input as personal
	count(connector_egress.deny) == 1 with data.params as params with input as personal
}

test_only_tickets_come_in if {
	event_admit.allow with input as {"event": {"type": "com.example.@NAME@.ticket.v1", "size_bytes": 300}}
	not event_admit.allow with input as {"event": {"type": "com.example.other.v1", "size_bytes": 300}}
}

test_only_the_embedded_model_is_asked if {
	pre_model_call.allow with input as {"model": {"region": "local"}}
	not pre_model_call.allow with input as {"model": {"region": "eu"}}
}

test_only_reviewers_are_asked if {
	review_assign.allow with input as {"review": {"assignees": ["reviewer"]}}
	not review_assign.allow with input as {"review": {"assignees": []}}
}

test_promotion_wants_gates_and_a_second_key if {
	model_promote.allow with input as {"gates": {"passed": true}, "four_eyes": true}
	not model_promote.allow with input as {"gates": {"passed": true}, "four_eyes": false}
	not model_promote.allow with input as {"gates": {"passed": false}, "four_eyes": true}
}
