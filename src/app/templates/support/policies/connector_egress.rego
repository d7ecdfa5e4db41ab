# Asked by the guard before anything leaves. It looks at what the engine itself remembers of the run
# (input.run), not at what the workflow says: a step `decide` that is left out changes nothing here.
package aios.connector_egress

import data.desk
import rego.v1

default allow := false

is_case if {
	input.connector.name == "help-desk"
	input.connector.operation == "open_case"
	count(input.content.personal) == 0
}

# The model was sure of this very intent.
allow if {
	is_case
	some inference in input.run.inferences
	inference.label == input.arguments.intent
	desk.confident(inference.label, inference.confidence)
}

# Or a person said it.
allow if {
	is_case
	some review in input.run.reviews
	review.answer.intent == input.arguments.intent
	review.by != ""
}

deny contains "a case wants a text without personal data" if count(input.content.personal) > 0
