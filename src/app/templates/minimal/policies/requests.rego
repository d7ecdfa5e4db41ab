# Asked by the workflow: requests/decide: {amount} -> {action, reason}
package requests

import rego.v1

decide := {"action": "grant", "reason": "within the limit"} if {
	input.amount <= data.params.limit
} else := {"action": "ask", "reason": sprintf("%v is above the limit of %v", [input.amount, data.params.limit])}
