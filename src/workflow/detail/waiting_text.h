// SPDX-License-Identifier: Apache-2.0
#pragma once
// workflow/detail/waiting_text: what a parked run waits for, in words for people.

#include "workflow/detail/state.h"

#include <string>
#include <string_view>

namespace aios::workflow {

/// The page of "no version of the model serves".
inline constexpr std::string_view no_model_page = "AIOS-0705";

/// Of a run that waits.
std::string reason_of(const RunState& state);
/// The name in "secret 'name' is ..."; empty when it is about something else.
std::string named_secret(std::string_view error);

}  // namespace aios::workflow
