package aios.event_admit

import rego.v1

default allow := true
