# Asked by the guard: a model serves when its gates were passed and another key than the one that
# trained it says so.
package aios.model_promote

import rego.v1

default allow := false

allow if {
	input.gates.passed == true
	input.four_eyes == true
}

deny contains "the key that trained a model may not promote it" if not input.four_eyes == true

deny contains "a gate was not passed" if not input.gates.passed == true
