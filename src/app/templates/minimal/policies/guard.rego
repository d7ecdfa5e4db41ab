# Asked by the guard, whatever the workflow says: which events come in at all.
package aios.event_admit

import rego.v1

default allow := false

allow if {
	input.event.type == "com.example.@NAME@.request.v1"
	input.event.size_bytes <= 65536
}
