// SPDX-License-Identifier: Apache-2.0
#pragma once
// connectors/detail/operation_reader: one operation of an http manifest, and small parts that the
// whole manifest needs too.

#include "connectors/detail/http_manifest.h"
#include "connectors/detail/reader.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aios::connectors::detail {

/// @param common  what the operation has from its connector.
HttpOperation read_operation(Reader& reader, const Node& node, const std::string& name,
                             const OperationInfo& common);

/// 1 to 63 of [a-z0-9-], beginning with a letter.
std::optional<std::string> read_name(Reader& reader, const Node& node);
std::optional<std::string> read_header_name(Reader& reader, const Node& node);
/// A header field that a manifest may set: a token, and none of those the client sets.
bool check_header_name(Reader& reader, const Node& node, std::string_view name);
/// A list of HTTP statuses.
std::vector<int> read_statuses(Reader& reader, const Node& node);

}  // namespace aios::connectors::detail
