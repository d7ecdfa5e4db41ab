// SPDX-License-Identifier: Apache-2.0
#pragma once
// workflow/detail/views: a run as others see it, and what is left of a text for those who may not
// read payloads. Pure functions; any thread.

#include "store/store.h"
#include "workflow/detail/state.h"
#include "workflow/engine.h"

#include <string>
#include <string_view>

namespace aios::workflow {

RunView view_of(const store::StreamRow& row, const RunState& state);
/// "AIOS-0903" of a text that ends with "[AIOS-0903]", as Error::text() does; else empty.
std::string page_of(std::string_view text);
/// A problem without its texts: type (one of the specification's), status, page, instance.
Json clear_problem(const Json& problem);
/// Only what a row of a list shows to those who may not read payloads: no data is read.
Result<RunState> decode_head(std::string_view bytes);

}  // namespace aios::workflow
