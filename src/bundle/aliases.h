// SPDX-License-Identifier: Apache-2.0
#pragma once
// bundle/aliases: under which aliases a bundle expects models to serve. Only what stands in the
// text is known: an alias that an expression makes is known when it runs.

#include "bundle/bundle.h"
#include "core/result.h"

#include <string>
#include <string_view>
#include <vector>

namespace aios::bundle {

struct AliasUse {
  std::string alias;
  std::string file;            ///< that names it first
  bool by_a_workflow = false;  ///< else it is the name of a model
};

/// What the bundle's models are named and its workflows ask, each once, those of workflows first.
std::vector<AliasUse> aliases_of(const Bundle& bundle);

/// not_found [AIOS-1133], with the nearest that is known, for an alias that nothing names or
/// serves: a misspelt one would serve nobody in silence.
Result<void> expect_known_alias(const std::vector<AliasUse>& uses,
                                const std::vector<models::AliasInfo>& serving,
                                std::string_view alias);
/// failed_precondition [AIOS-1134] for one that a workflow asks: its runs would wait.
Result<void> expect_unused_alias(const std::vector<AliasUse>& uses, std::string_view alias);

}  // namespace aios::bundle
