# SPDX-License-Identifier: Apache-2.0
# Asked by the workflow: routing/decide: {intent, confidence} -> {action, reasons}
package routing

import rego.v1

decide := {"action": "automatic", "reasons": []} if {
	is_string(object.get(input, "intent", null))
	sure
} else := {"action": "review", "reasons": [reason]}

sure if {
	is_number(object.get(input, "confidence", null))
	input.confidence >= data.params.floor
}

reason := msg if {
	is_number(object.get(input, "confidence", null))
	msg := sprintf(
		"confidence %v is below the floor %v",
		[round(input.confidence * 100) / 100, data.params.floor],
	)
} else := "no confidence is known"
