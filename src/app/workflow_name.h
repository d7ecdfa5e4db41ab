// SPDX-License-Identifier: Apache-2.0
#pragma once
// app/workflow_name: a workflow as a person names it: NAME, or NAMESPACE/NAME.

#include "core/json.h"
#include "core/result.h"

#include <string>

namespace aios::app {

struct NamedWorkflow {
  std::string whole_name;  ///< "namespace/name"
  Json definition;         ///< the newest of this name
};

/// Among the definitions of a page of the API. not_found [AIOS-1411] with the nearest name;
/// invalid_argument [AIOS-1411] where a name alone stands for several.
Result<NamedWorkflow> find_workflow(const Json& page, const std::string& given);

/// "namespace/name" for a list of runs, which may be of a workflow that is gone: a whole
/// name that resembles no deployed one is taken as it is. Errors as above.
Result<std::string> past_or_present_name(const Json& page, const std::string& given);

}  // namespace aios::app
