# SPDX-License-Identifier: Apache-2.0
# Which events come in at all.
package aios.event_admit

import rego.v1

default allow := false

allow if {
	input.event.type == "com.example.support.ticket.created.v1"
	input.event.size_bytes <= 65536
}

deny contains msg if {
	input.event.type != "com.example.support.ticket.created.v1"
	msg := sprintf("event type %v is not taken here", [input.event.type])
}

deny contains msg if {
	input.event.size_bytes > 65536
	msg := sprintf("event of %v bytes is above 65536", [input.event.size_bytes])
}

# The bundle's own sources (sources/*.yaml) send with these. A ticket by the API, where any key with
# the role ingest may send, does not look like one of theirs.
own_sources := {"/shop/", "/post/", "/desk/"}

deny contains "the source is one of the bundle's own, and the event came by the API" if {
	input.event.via == ""
	some own in own_sources
	startswith(input.event.source, own)
}
