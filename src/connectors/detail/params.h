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

/// An error about a value with how it is written, where parameters were put in.
Error as_written(const std::string& written, const std::string& value, const Error& error);

}  // namespace aios::connectors::detail
