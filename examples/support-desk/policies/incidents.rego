# SPDX-License-Identifier: Apache-2.0
# Who may say what became of a call that nobody knows of. Of money above the limit one person's word is not
# enough: whoever says that a refund was not paid has it paid (again).
package aios.incident_settle

import rego.v1

default allow := true

obligations contains {"type": "approve", "assignees": ["operator", "approver"]} if {
	input.incident.phase == "settle"
	input.incident.call.operation == "pay_refund"
	not one_is_enough
}

one_is_enough if input.incident.call.arguments.amount_cents <= data.params.refund_limit_cents
