# SPDX-License-Identifier: Apache-2.0
# Which events come in at all.
package aios.event_admit

import rego.v1

default allow := false

allow if {
	input.event.type == "com.example.intent.question.v1"
	input.event.size_bytes <= 65536
}
