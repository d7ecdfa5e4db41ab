# Asked by the workflow: desk/decide: {intent, confidence} -> {action, reason}
package desk

import rego.v1

confident(intent, confidence) if {
	is_number(confidence)
	confidence >= data.params.floors[intent]
}

decide := {"action": "case", "reason": "sure enough"} if {
	confident(input.intent, input.confidence)
} else := {"action": "review", "reason": "the model is not sure, or a person always decides this"}
