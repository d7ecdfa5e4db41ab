# SPDX-License-Identifier: Apache-2.0
# Questions are not redacted, so only a model inside this very process may see them.
package aios.pre_model_call

import rego.v1

default allow := false

allow if input.model.region == "local"

deny contains msg if {
	not allow
	msg := sprintf(
		"questions are not redacted and stay in the process; model region %v",
		[object.get(object.get(input, "model", {}), "region", "unknown")],
	)
}
