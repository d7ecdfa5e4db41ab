# SPDX-License-Identifier: Apache-2.0
# After a model answered: only an answer that makes sense goes on; what is below its floor is noted.
package aios.post_model_call

import data.support
import rego.v1

default allow := false

allow if {
	is_string(input.result.label)
	input.result.confidence >= 0
	input.result.confidence <= 1
}

warn contains msg if {
	not support.confident(input.result.label, input.result.confidence)
	msg := sprintf("%v is below its floor or never automatic", [input.result.label])
}
