# SPDX-License-Identifier: Apache-2.0
# Before a model sees anything: no unredacted personal data to a model outside the tenant's region.
# `content.personal` is what the gateway finds in the text itself, so a workflow without its
# `redact` step gains nothing. "local" is a model inside this very process.
package aios.pre_model_call

import rego.v1

default allow := false

allow if at_home

allow if count(input.content.personal) == 0

at_home if input.model.region == "local"

at_home if input.model.region == input.tenant.region

deny contains msg if {
	not at_home
	count(input.content.personal) > 0
	msg := sprintf(
		"unredacted personal data (%v) would leave region %v for %v",
		[concat(", ", input.content.personal), input.tenant.region, input.model.region],
	)
}

deny contains "second opinions are not asked for here" if {
	input.model.alias == "second-opinion"
	not data.params.second_opinion
}

deny contains "the text is longer than 16,384 characters" if input.content.characters > 16384
