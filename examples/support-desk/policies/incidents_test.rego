# SPDX-License-Identifier: Apache-2.0
package incidents_test

import data.aios.incident_settle
import rego.v1

said(operation, cents) := {"incident": {
	"phase": "settle",
	"word": "retry",
	"call": {"connector": "help-desk", "operation": operation, "arguments": {"amount_cents": cents}},
}}

limit := {"refund_limit_cents": 10000}

test_a_refund_above_the_limit_wants_two_people if {
	wanted := incident_settle.obligations with input as said("pay_refund", 10001) with data.params as limit
	count(wanted) == 1
}

test_one_persons_word_is_enough_up_to_the_limit if {
	wanted := incident_settle.obligations with input as said("pay_refund", 10000) with data.params as limit
	count(wanted) == 0
}

test_a_refund_whose_amount_is_not_known_wants_two_people if {
	unknown := {"incident": {"phase": "settle", "word": "fail", "call": {"operation": "pay_refund"}}}
	wanted := incident_settle.obligations with input as unknown with data.params as limit
	count(wanted) == 1
}

test_of_a_notice_one_persons_word_is_enough if {
	wanted := incident_settle.obligations with input as said("send_notice", 0) with data.params as limit
	count(wanted) == 0
}
