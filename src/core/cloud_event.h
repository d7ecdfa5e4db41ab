// SPDX-License-Identifier: Apache-2.0
#pragma once
// core/cloud_event: what makes a JSON object a CloudEvent 1.0 in the JSON format
// (https://github.com/cloudevents/spec, CloudEvents 1.0.2, sections 1.4 and 3): for what comes in,
// and for what a workflow sends.

#include "core/json.h"
#include "core/result.h"

namespace aios {

/// specversion, id, source, type and, where it is there, subject are texts of 1 to 1,024 bytes;
/// names are made of a-z and 0-9; values are texts without control characters, numbers or booleans;
/// time is one of RFC 3339; at most one of data and data_base64.
/// @return invalid_argument without a page: the attribute, what was found and what was wanted.
Result<void> check_cloud_event(const JsonObject& envelope);

}  // namespace aios
