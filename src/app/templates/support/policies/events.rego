# Asked by the guard: which events come in at all.
package aios.event_admit

import rego.v1

default allow := false

allow if {
	input.event.type == "com.example.@NAME@.ticket.v1"
	input.event.size_bytes <= 65536
}
