# SPDX-License-Identifier: Apache-2.0
# Asked by the workflow: routing/decide: {intent, confidence, novelty} -> {action, reasons}
package routing

import rego.v1

decide := {"action": "automatic", "reasons": []} if {
	is_string(object.get(input, "intent", null))
	sure
} else := {"action": "review", "reasons": [reason]}

# A model from before there was a novelty says null, and a floor is all there is.
novelty := value if {
	value := object.get(input, "novelty", null)
	is_number(value)
} else := 0

familiar if novelty <= data.params.novelty_max

sure if {
	familiar
	is_number(object.get(input, "confidence", null))
	input.confidence >= data.params.floor
}

reason := msg if {
	is_number(object.get(input, "confidence", null))
	msg := sprintf(
		"confidence %v is below the floor %v",
		[round(input.confidence * 100) / 100, data.params.floor],
	)
	input.confidence < data.params.floor
} else := "no confidence is known" if {
	not is_number(object.get(input, "confidence", null))
} else := sprintf(
	"the text is unlike what the model has learnt from: novelty %v, at most %v",
	[round(novelty * 100) / 100, data.params.novelty_max],
)
