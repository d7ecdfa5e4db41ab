# SPDX-License-Identifier: Apache-2.0
package routing_test

import data.aios.event_admit
import data.aios.model_promote
import data.aios.pre_model_call
import data.aios.review_assign
import data.routing
import rego.v1

params := {"floor": 0.7, "novelty_max": 0.9}

test_at_the_floor_no_person_is_asked if {
	routing.decide == {"action": "automatic", "reasons": []} with data.params as params
		with input as {"intent": "card_lost", "confidence": 0.7}
}

test_below_the_floor_a_person_is_asked if {
	answer := routing.decide with data.params as params
		with input as {"intent": "card_lost", "confidence": 0.69}
	answer.action == "review"
	answer.reasons == ["confidence 0.69 is below the floor 0.7"]
}

test_without_an_answer_of_the_model_a_person_is_asked if {
	routing.decide.action == "review" with data.params as params with input as {}
	routing.decide.action == "review" with data.params as params
		with input as {"confidence": 0.99}
}

test_what_the_model_never_learnt_goes_to_a_person_however_sure_it_is if {
	strange := {"intent": "card_lost", "confidence": 0.99, "novelty": 0.95}
	answer := routing.decide with data.params as params with input as strange
	answer.action == "review"
	answer.reasons == ["the text is unlike what the model has learnt from: novelty 0.95, at most 0.9"]
	familiar := {"intent": "card_lost", "confidence": 0.99, "novelty": 0.9}
	routing.decide.action == "automatic" with data.params as params with input as familiar
}

test_only_questions_come_in if {
	question := "com.example.intent.question.v1"
	event_admit.allow with input as {"event": {"type": question, "size_bytes": 300}}
	not event_admit.allow with input as {"event": {"type": question, "size_bytes": 70000}}
	not event_admit.allow with input as {"event": {"type": "other", "size_bytes": 300}}
}

test_only_the_embedded_model_is_asked if {
	pre_model_call.allow with input as {"model": {"region": "local"}}
	not pre_model_call.allow with input as {"model": {"region": "eu"}}
	not pre_model_call.allow with input as {}
}

test_reviews_go_to_reviewers if {
	review_assign.allow with input as {"review": {"assignees": ["reviewer"]}}
	not review_assign.allow with input as {"review": {"assignees": ["reviewer", "ingest"]}}
	not review_assign.allow with input as {"review": {"assignees": []}}
}

test_promotion_wants_gates_and_four_eyes if {
	model_promote.allow with input as {"gates": {"passed": true}, "four_eyes": true}
	not model_promote.allow with input as {"gates": {"passed": true}, "four_eyes": false}
	not model_promote.allow with input as {"gates": {"passed": false}, "four_eyes": true}
}
