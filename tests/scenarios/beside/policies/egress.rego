package aios.connector_egress

import rego.v1

default allow := true
