// SPDX-License-Identifier: Apache-2.0
#pragma once
// workflow/detail/durations: the two literal forms of a duration: ISO 8601 text and {days, hours,
// minutes, seconds, milliseconds}. At most 100 years, so that no sum overflows.

#include "core/json.h"
#include "core/result.h"
#include "core/time.h"

namespace aios::workflow {

Result<Duration> duration_of(const Json& value);

}  // namespace aios::workflow
