// SPDX-License-Identifier: Apache-2.0
#pragma once
// connectors/detail/params: the bundle's parameters in texts of a manifest.

#include "connectors/detail/reader.h"

#include <optional>
#include <string>
#include <string_view>

namespace aios::connectors::detail {

/// Replaces every ${params.<name>}; a mistake at `node`, and nothing, where there is no such one.
std::optional<std::string> substitute(Reader& reader, const Node& node, std::string_view text,
                                      const Json& params);

}  // namespace aios::connectors::detail
