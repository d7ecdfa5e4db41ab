# SPDX-License-Identifier: Apache-2.0
# A model serves only when its gates were passed and somebody else than its trainer says so.
package aios.model_promote

import rego.v1

default allow := false

allow if {
	input.gates.passed == true
	input.four_eyes == true
}

deny contains "the one who trained a model may not promote it" if not input.four_eyes == true

deny contains msg if {
	not input.gates.passed == true
	msg := sprintf("gates not passed: %v", [concat(", ", object.get(input.gates, "failed", []))])
}
