# SPDX-License-Identifier: Apache-2.0
package support_test

import data.support
import rego.v1

params := {
	"floors": {"refund_request": 0.8, "order_status": 0.6}, "refund_limit_cents": 10000,
	"answer_fit_min": 0.1, "second_opinion": true, "second_opinion_from": 0.4,
	"second_opinion_min": 0.7,
}

tracking := {"article": "track-an-order", "intents": ["order_status"], "fit": 0.3}

order := {"id": "ORD-1", "customer": "C1", "amount_cents": 4990}

refund := {
	"intent": "refund_request", "confidence": 0.95, "order_given": true, "customer": "C1",
	"order": order,
}

test_a_confident_known_intent_is_automatic if {
	support.decide.action == "automatic" with data.params as params
		with input as {"intent": "order_status", "confidence": 0.6}
}

test_what_is_unlike_the_training_texts_goes_to_a_person if {
	known := object.union(params, {"novelty_max": 0.6})
	near := {"intent": "order_status", "confidence": 0.9, "novelty": 0.6}
	support.decide.action == "automatic" with data.params as known with input as near
	support.decide.action == "review" with data.params as known
		with input as object.union(near, {"novelty": 0.61})
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
		"order": null, "article": tracking,
	}
	answer := support.settle with input as unknown with data.params as params
	answer.reasons == ["the order named is not known"]
}

test_a_stranger_goes_to_a_person if {
	stranger := {
		"intent": "order_status", "confidence": 0.9, "order_given": false, "customer": null,
		"order": null, "article": tracking,
	}
	answer := support.settle with input as stranger with data.params as params
	answer.reasons == ["the sender is not a known customer"]
}

clear := {
	"intent": "order_status", "confidence": 0.9, "order_given": false, "customer": "C1",
	"order": null, "article": tracking,
}

test_a_clear_question_opens_a_case if {
	support.settle.action == "case" with input as clear with data.params as params
}

test_without_an_article_that_fits_and_answers_it_a_person_is_asked if {
	none := support.settle with input as object.remove(clear, ["article"]) with data.params as params
	none.reasons == ["no article answers it"]
	far := object.union(clear, {"article": {"fit": 0.09}})
	support.settle.action == "review" with input as far with data.params as params
	other := object.union(clear, {"article": {"intents": ["invoice_copy"]}})
	support.settle.action == "review" with input as other with data.params as params
}

near := object.union(clear, {"confidence": 0.5})

agreed := object.union(near, {"second": {"label": "order_status", "confidence": 0.8}})

test_nearly_sure_is_worth_a_second_opinion if {
	support.decide.second_opinion with input as near with data.params as params
	not support.decide.second_opinion with input as clear with data.params as params
	low := object.union(near, {"confidence": 0.39})
	not support.decide.second_opinion with input as low with data.params as params
	never := object.union(near, {"intent": "other"})
	not support.decide.second_opinion with input as never with data.params as params
	off := object.union(params, {"second_opinion": false})
	not support.decide.second_opinion with input as near with data.params as off
}

test_two_that_agree_are_as_good_as_one_that_is_sure if {
	support.settle.action == "case" with input as agreed with data.params as params
	support.settle.action == "review" with input as near with data.params as params
	weak := object.union(agreed, {"second": {"confidence": 0.6}})
	support.settle.action == "review" with input as weak with data.params as params
	low := object.union(agreed, {"confidence": 0.39})
	support.settle.action == "review" with input as low with data.params as params
	off := object.union(params, {"second_opinion": false})
	support.settle.action == "review" with input as agreed with data.params as off
}

test_two_that_differ_go_to_a_person if {
	differ := object.union(agreed, {"second": {"label": "invoice_copy"}})
	answer := support.settle with input as differ with data.params as params
	"a second opinion says invoice_copy" in answer.reasons
}

test_no_second_opinion_pays_money if {
	unsure := object.union(refund, {
		"confidence": 0.7,
		"second": {"label": "refund_request", "confidence": 1},
	})
	support.settle.action == "review" with input as unsure with data.params as params
	not support.decide.second_opinion with input as unsure with data.params as params
}
