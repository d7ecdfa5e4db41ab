# SPDX-License-Identifier: Apache-2.0
package support_test

import data.support
import rego.v1

params := {"floors": {"refund_request": 0.8, "order_status": 0.6}, "refund_limit_cents": 10000}

order := {"id": "ORD-1", "customer": "C1", "amount_cents": 4990}

refund := {
	"intent": "refund_request", "confidence": 0.95, "order_given": true, "customer": "C1",
	"order": order,
}

test_a_confident_known_intent_is_automatic if {
	support.decide.action == "automatic" with data.params as params
		with input as {"intent": "order_status", "confidence": 0.6}
}

test_below_its_floor_a_person_is_asked if {
	answer := support.decide with data.params as params
		with input as {"intent": "order_status", "confidence": 0.59}
	answer.action == "review"
	count(answer.reasons) == 1
}

test_an_intent_without_a_floor_is_never_automatic if {
	support.decide.action == "review" with data.params as params
		with input as {"intent": "other", "confidence": 1}
}

test_without_an_answer_of_the_model_a_person_is_asked if {
	support.decide.action == "review" with data.params as params with input as {}
	support.settle.action == "review" with data.params as params with input as {}
}

test_a_small_refund_of_the_own_order_is_paid if {
	support.settle == {"action": "refund", "amount_cents": 4990, "reasons": []} with input as refund
		with data.params as params
}

test_a_refund_above_the_limit_goes_to_a_person if {
	high := object.union(refund, {"order": {"amount_cents": 10001}})
	support.settle.action == "review" with input as high with data.params as params
}

test_an_order_that_was_refunded_already_goes_to_a_person if {
	again := object.union(refund, {"order": {"refunded_cents": 4990}})
	answer := support.settle with input as again with data.params as params
	answer.reasons == ["4990 cents of the order are refunded already"]
}

test_a_refund_of_somebody_elses_order_goes_to_a_person if {
	other := object.union(refund, {"customer": "C2"})
	answer := support.settle with input as other with data.params as params
	answer.reasons == ["the order belongs to another customer"]
}

test_a_refund_without_an_order_goes_to_a_person if {
	none := object.union(refund, {"order_given": false, "order": null})
	answer := support.settle with input as none with data.params as params
	answer.reasons == ["a refund needs an order"]
}

test_an_unknown_order_goes_to_a_person if {
	unknown := {
		"intent": "order_status", "confidence": 0.9, "order_given": true, "customer": "C1",
		"order": null,
	}
	answer := support.settle with input as unknown with data.params as params
	answer.reasons == ["the order named is not known"]
}

test_a_stranger_goes_to_a_person if {
	stranger := {
		"intent": "order_status", "confidence": 0.9, "order_given": false, "customer": null,
		"order": null,
	}
	answer := support.settle with input as stranger with data.params as params
	answer.reasons == ["the sender is not a known customer"]
}

test_a_clear_question_opens_a_case if {
	clear := {
		"intent": "order_status", "confidence": 0.9, "order_given": false, "customer": "C1",
		"order": null,
	}
	support.settle.action == "case" with input as clear with data.params as params
}
