# SPDX-License-Identifier: Apache-2.0
package guard_test

import data.aios.connector_egress
import data.aios.event_admit
import data.aios.model_promote
import data.aios.post_model_call
import data.aios.pre_model_call
import data.aios.review_assign
import rego.v1

params := {
	"floors": {"refund_request": 0.8, "order_status": 0.6}, "refund_limit_cents": 10000,
	"answer_fit_min": 0.1, "second_opinion": true, "second_opinion_from": 0.4,
	"second_opinion_min": 0.7,
}

call(operation, arguments, inferences, reviews) := {
	"tenant": {"id": "t", "region": "eu"},
	"connector": {"name": "help-desk", "region": "eu", "operation": operation},
	"arguments": arguments,
	"content": {"personal": []},
	"run": {
		"workflow": "ticket", "inferences": inferences, "reviews": reviews,
		"results": [desk("find_customer", {"id": "C1"}), desk("find_order", lamp)],
	},
}

desk(operation, result) := {
	"connector": "help-desk", "operation": operation,
	"result": result,
}

lamp := {"id": "ORD-1", "customer": "C1", "amount_cents": 10000, "refunded_cents": 0}

# The same call in a run to which the help desk said something else.
told(facts, results) := object.union(facts, {"run": object.union(facts.run, {"results": results})})

said(label, confidence) := {"alias": "intent", "label": label, "confidence": confidence}

allowed(facts) if {
	connector_egress.allow with input as facts with data.params as params
	count(refusals(facts)) == 0
}

refusals(facts) := {msg |
	some msg in connector_egress.deny with input as facts with data.params as params
}

sure := [said("refund_request", 0.9)]

of_lamp := {"order": "ORD-1", "amount_cents": 10000}

test_a_sure_refund_within_the_limit_passes if {
	allowed(call("pay_refund", of_lamp, [said("refund_request", 0.8)], []))
}

test_a_refund_for_a_text_unlike_the_training_texts_is_refused if {
	known := object.union(params, {"novelty_max": 0.6})
	strange := [object.union(said("refund_request", 0.9), {"novelty": 0.9})]
	facts := call("pay_refund", of_lamp, strange, [])
	not connector_egress.allow with input as facts with data.params as known
}

test_a_refund_of_another_order_or_amount_than_the_desk_told_is_refused if {
	not allowed(call("pay_refund", {"order": "ORD-2", "amount_cents": 10000}, sure, []))
	not allowed(call("pay_refund", {"order": "ORD-1", "amount_cents": 9999}, sure, []))
	not allowed(told(call("pay_refund", of_lamp, sure, []), []))
}

test_a_refund_to_who_does_not_own_the_order_is_refused if {
	facts := call("pay_refund", of_lamp, sure, [])
	not allowed(told(facts, [desk("find_customer", {"id": "C2"}), desk("find_order", lamp)]))
	not allowed(told(facts, [desk("find_order", lamp)]))
	elsewhere := object.union(desk("find_order", lamp), {"connector": "elsewhere"})
	not allowed(told(facts, [desk("find_customer", {"id": "C1"}), elsewhere]))
}

test_an_order_that_is_refunded_already_is_not_paid_by_itself if {
	facts := call("pay_refund", of_lamp, sure, [])
	again := object.union(lamp, {"refunded_cents": 1})
	not allowed(told(facts, [desk("find_customer", {"id": "C1"}), desk("find_order", again)]))
}

test_looking_up_several_gives_no_choice if {
	facts := call("pay_refund", of_lamp, sure, [])
	other := object.union(lamp, {"id": "ORD-2"})
	results := array.concat(facts.run.results, [desk("find_order", other)])
	not allowed(told(facts, results))
	customers := array.concat(facts.run.results, [desk("find_customer", {"id": "C2"})])
	not allowed(told(facts, customers))
}

test_no_run_pays_twice if {
	facts := call("pay_refund", of_lamp, sure, [])
	paid := array.concat(facts.run.results, [desk("pay_refund", of_lamp)])
	not allowed(told(facts, paid))
	person := call("pay_refund", dear, unsure, [approved(approval)])
	not allowed(told(person, [desk("pay_refund", dear)]))
}

test_a_run_that_forgot_results_does_nothing_more if {
	facts := call("pay_refund", of_lamp, sure, [])
	allowed(object.union(facts, {"run": object.union(facts.run, {"results_forgotten": 0})}))
	not allowed(object.union(facts, {"run": object.union(facts.run, {"results_forgotten": 1})}))
}

test_a_case_or_a_notice_is_about_what_was_found if {
	case := {"intent": "order_status", "customer": "C1", "order": "ORD-1"}
	sure_case := [said("order_status", 0.9)]
	allowed(call("open_case", case, sure_case, []))
	not allowed(call("open_case", object.union(case, {"order": "ORD-2"}), sure_case, []))
	not allowed(call("open_case", object.union(case, {"customer": "C2"}), sure_case, []))
	nobody := object.union(case, {"customer": null, "order": null})
	allowed(told(call("open_case", nobody, sure_case, []), []))
	not allowed(call("send_notice", {"customer": "C2", "text": "hello"}, sure_case, []))
}

test_a_refund_above_the_limit_is_refused_however_sure_the_model_is if {
	facts := call("pay_refund", {"order": "ORD-1", "amount_cents": 10001}, [said("refund_request", 1)], [])
	not allowed(facts)
	count(refusals(facts)) == 1
}

test_a_refund_below_the_floor_is_refused if {
	not allowed(call("pay_refund", {"order": "ORD-1", "amount_cents": 10000}, [said("refund_request", 0.79)], []))
}

test_a_refund_on_another_intent_is_refused if {
	not allowed(call("pay_refund", {"order": "ORD-1", "amount_cents": 10000}, [said("order_status", 0.99)], []))
}

test_a_refund_without_any_inference_is_refused if {
	not allowed(call("pay_refund", {"order": "ORD-1", "amount_cents": 10000}, [], []))
}

test_asking_again_until_the_model_says_refund_gains_nothing if {
	tries := [said("order_status", 0.9), said("refund_request", 0.9)]
	not allowed(call("pay_refund", {"order": "ORD-1", "amount_cents": 10000}, tries, []))
}

answer(fields) := {"id": "rev_1", "by": "key_1", "answer": fields}

dear := {"order": "ORD-1", "amount_cents": 54900}

approval := {
	"action": "refund", "order": "ORD-1", "amount_cents": 54900,
	"intent": "refund_request",
}

unsure := [said("refund_request", 0.3)]

approved(fields) := object.union(answer(fields), {"approved_by": "key_2"})

test_two_people_pay_a_refund_above_the_limit if {
	allowed(call("pay_refund", dear, unsure, [approved(approval)]))
}

test_one_person_alone_pays_none_above_the_limit if {
	not allowed(call("pay_refund", dear, unsure, [answer(approval)]))
	himself := object.union(answer(approval), {"approved_by": "key_1"})
	not allowed(call("pay_refund", dear, unsure, [himself]))
	nobody := object.union(answer(approval), {"approved_by": ""})
	not allowed(call("pay_refund", dear, unsure, [nobody]))
	small := {"order": "ORD-1", "amount_cents": 10000}
	allowed(call("pay_refund", small, unsure, [answer(object.union(approval, small))]))
}

test_money_above_the_limit_wants_another_person if {
	wanted := {"type": "approve", "assignees": ["approver"]}
	about := {"assignees": ["reviewer"], "phase": "answer", "answer": approval}
	found := {"results": [desk("find_order", lamp)]}
	wanted in review_assign.obligations with input as {"review": about, "run": found}
		with data.params as {"refund_limit_cents": 10000}
	small := object.union(about, {"answer": object.union(approval, {"amount_cents": 10000})})
	count(review_assign.obligations) == 0 with input as {"review": small, "run": found}
		with data.params as {"refund_limit_cents": 10000}
	dearer := {"results": [desk("find_order", expensive)]}
	wanted in review_assign.obligations with input as {"review": small, "run": dearer}
		with data.params as {"refund_limit_cents": 10000}
	wanted in review_assign.obligations with input as {"review": small, "run": {"results": []}}
		with data.params as {"refund_limit_cents": 10000}
}

expensive := object.union(lamp, {"amount_cents": 54900})

# Six of them, each within the limit, would be all of it on one person's word.
test_a_part_of_an_order_above_the_limit_wants_two_people if {
	part := {"order": "ORD-1", "amount_cents": 9150}
	alone := answer(object.union(approval, part))
	found := [desk("find_customer", {"id": "C1"}), desk("find_order", expensive)]
	not allowed(told(call("pay_refund", part, unsure, [alone]), found))
	not allowed(told(call("pay_refund", part, unsure, [alone]), []))
	both := object.union(alone, {"approved_by": "key_2"})
	allowed(told(call("pay_refund", part, unsure, [both]), found))
}

test_a_person_approved_another_amount if {
	less := object.union(approval, {"amount_cents": 5490})
	not allowed(call("pay_refund", dear, unsure, [approved(less)]))
}

test_a_person_approved_the_refund_of_another_order if {
	other := object.union(approval, {"order": "ORD-2"})
	not allowed(call("pay_refund", dear, unsure, [approved(other)]))
	nameless := object.remove(approval, ["order"])
	not allowed(call("pay_refund", dear, unsure, [approved(nameless)]))
	no_order := object.remove(dear, ["order"])
	not allowed(call("pay_refund", no_order, unsure, [approved(nameless)]))
}

test_an_answer_nobody_gave_is_not_an_approval if {
	forged := [{
		"id": "rev_1", "by": "",
		"answer": approval,
	}]
	not allowed(call("pay_refund", dear, [], forged))
}

test_a_case_of_a_sure_intent_passes if {
	allowed(call("open_case", {"intent": "order_status"}, [said("order_status", 0.7)], []))
}

test_a_case_of_another_intent_than_the_model_said_is_refused if {
	not allowed(call("open_case", {"intent": "order_status"}, [said("refund_request", 0.9)], []))
}

test_a_case_of_an_intent_without_a_floor_is_refused if {
	not allowed(call("open_case", {"intent": "other"}, [said("other", 1)], []))
}

test_a_case_a_person_wants_passes if {
	wanted := [answer({"action": "case", "intent": "warranty_claim"})]
	allowed(call("open_case", {"intent": "warranty_claim"}, [said("other", 0.2)], wanted))
}

test_a_person_who_wants_nothing_done_opens_no_case if {
	wanted := [answer({"action": "none", "intent": "order_status"})]
	not allowed(call("open_case", {"intent": "order_status"}, [said("order_status", 0.2)], wanted))
}

test_looking_up_passes_and_an_unknown_operation_does_not if {
	allowed(call("find_order", {"order": "ORD-1"}, [], []))
	facts := call("delete_customer", {}, [said("order_status", 1)], [])
	not allowed(facts)
	count(refusals(facts)) == 1
}

test_a_notice_wants_a_ground if {
	allowed(call("send_notice", {"customer": "C1", "text": "hello"}, [said("order_status", 0.9)], []))
	not allowed(call("send_notice", {"customer": "C1", "text": "hello"}, [], []))
}

reply := {"customer": "C1", "article": "track", "text": "See the page (track)"}

tracking := {"article": "track", "intents": ["order_status"], "fit": 0.3}

# A reply in a run that found these articles.
replying(arguments, inferences, articles) := object.union(facts, {"run": run}) if {
	facts := call("send_reply", arguments, inferences, [])
	run := object.union(facts.run, {"retrievals": [{"corpus": "c", "articles": articles}]})
}

status := [said("order_status", 0.9)]

test_an_answer_with_its_ground_passes if {
	allowed(replying(reply, status, [tracking]))
}

test_an_answer_without_a_ground_is_refused if {
	not allowed(call("send_reply", reply, status, []))
	not allowed(replying(reply, status, []))
	not allowed(replying(reply, status, [object.union(tracking, {"fit": 0.09})]))
	not allowed(replying(reply, status, [object.union(tracking, {"intents": ["invoice_copy"]})]))
	not allowed(replying(reply, status, [object.union(tracking, {"article": "other"})]))
}

test_an_answer_that_does_not_name_its_article_is_refused if {
	not allowed(replying(object.union(reply, {"text": "Trust me"}), status, [tracking]))
}

test_an_answer_of_an_unsure_model_or_to_somebody_else_is_refused if {
	not allowed(replying(reply, [said("order_status", 0.5)], [tracking]))
	not allowed(replying(reply, [], [tracking]))
	not allowed(replying(object.union(reply, {"customer": "C2"}), status, [tracking]))
}

test_no_run_answers_twice if {
	facts := replying(reply, status, [tracking])
	again := array.concat(facts.run.results, [desk("send_reply", {"article": "track"})])
	not allowed(told(facts, again))
}

seconded(label, confidence) := {
	"alias": "second-opinion", "label": label,
	"confidence": confidence,
}

test_a_second_opinion_that_agrees_makes_up_for_what_is_missing if {
	case := {"intent": "order_status", "customer": "C1"}
	unsure_case := [said("order_status", 0.5)]
	not allowed(call("open_case", case, unsure_case, []))
	allowed(call("open_case", case, array.concat(unsure_case, [seconded("order_status", 0.8)]), []))
	not allowed(call("open_case", case, array.concat(unsure_case, [seconded("order_status", 0.6)]), []))
	not allowed(call("open_case", case, array.concat(unsure_case, [seconded("other", 0.9)]), []))
	far := [said("order_status", 0.3), seconded("order_status", 0.9)]
	not allowed(call("open_case", case, far, []))
	not allowed(call("open_case", case, [seconded("order_status", 1)], []))
}

test_a_second_opinion_that_differs_stops_what_was_sure if {
	case := {"intent": "order_status", "customer": "C1"}
	not allowed(call("open_case", case, [said("order_status", 0.9), seconded("other", 0.9)], []))
}

test_a_second_opinion_pays_no_money if {
	both := [said("refund_request", 0.7), seconded("refund_request", 1)]
	not allowed(call("pay_refund", of_lamp, both, []))
}

test_another_connector_is_refused if {
	facts := call("find_order", {"order": "ORD-1"}, [], [])
	elsewhere := object.union(facts, {"connector": {"name": "elsewhere"}})
	count(refusals(elsewhere)) == 1
}

test_personal_data_stays_in_the_region if {
	facts := call("find_customer", {"email": "a@example.com"}, [], [])
	allowed(object.union(facts, {"content": {"personal": ["email"]}}))
	abroad := object.union(facts, {
		"content": {"personal": ["email"]},
		"connector": {"region": "us"},
	})
	not allowed(abroad)
}

# --- models

model_call(region, personal) := {
	"tenant": {"id": "t", "region": "eu"},
	"model": {"alias": "intent", "region": region},
	"content": {"personal": personal, "characters": 100},
}

test_raw_personal_data_stays_at_home if {
	pre_model_call.allow with input as model_call("local", ["email"])
	pre_model_call.allow with input as model_call("eu", ["email"])
	not pre_model_call.allow with input as model_call("us", ["email"])
	count(pre_model_call.deny) == 1 with input as model_call("us", ["email", "iban"])
}

test_redacted_text_may_travel if {
	pre_model_call.allow with input as model_call("us", [])
	count(pre_model_call.deny) == 0 with input as model_call("us", [])
}

test_a_second_opinion_is_asked_only_where_it_is_wanted if {
	facts := object.union(model_call("us", []), {"model": {"alias": "second-opinion"}})
	count(pre_model_call.deny) == 0 with input as facts with data.params as params
	off := object.union(params, {"second_opinion": false})
	count(pre_model_call.deny) == 1 with input as facts with data.params as off
}

test_a_model_call_of_which_nothing_is_known_is_refused if {
	not pre_model_call.allow with input as {}
}

test_an_answer_wants_a_label_and_a_confidence if {
	post_model_call.allow with input as {"result": {"label": "other", "confidence": 0.4}}
		with data.params as params
	not post_model_call.allow with input as {"result": {"label": "other", "confidence": 1.4}}
		with data.params as params
	not post_model_call.allow with input as {"result": {}} with data.params as params
}

# --- events, reviews, promotion

ticket := "com.example.support.ticket.created.v1"

test_only_tickets_of_a_sane_size_come_in if {
	event_admit.allow with input as {"event": {"type": ticket, "size_bytes": 900}}
	not event_admit.allow with input as {"event": {"type": ticket, "size_bytes": 70000}}
	not event_admit.allow with input as {"event": {"type": "com.example.other", "size_bytes": 9}}
}

test_nobody_sends_by_the_api_with_a_source_of_the_bundle if {
	every own in ["/shop/contact-form", "/post/letters", "/desk/morning"] {
		count(event_admit.deny) == 1 with input as sent(own, "")
		count(event_admit.deny) == 0 with input as sent(own, "shop")
	}
	count(event_admit.deny) == 0 with input as sent("/mail", "")
}

sent(source, via) := {"event": {
	"type": ticket, "source": source, "via": via, "size_bytes": 900,
}}

test_reviews_go_to_reviewers if {
	review_assign.allow with input as {"review": {"assignees": ["reviewer"]}}
	not review_assign.allow with input as {"review": {"assignees": ["ingest"]}}
	not review_assign.allow with input as {"review": {"assignees": []}}
}

test_promotion_wants_gates_and_four_eyes if {
	model_promote.allow with input as {"gates": {"passed": true, "failed": []}, "four_eyes": true}
	not model_promote.allow with input as {"gates": {"passed": true}, "four_eyes": false}
	not model_promote.allow with input as {
		"gates": {"passed": false, "failed": ["accuracy_min"]},
		"four_eyes": true,
	}
	not model_promote.allow with input as {}
}
