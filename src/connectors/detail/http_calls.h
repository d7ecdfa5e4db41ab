// SPDX-License-Identifier: Apache-2.0
#pragma once
// connectors/detail/http_calls: the connector of one origin that `call: http` may reach. Its
// operations are methods; what is sent stands in each call (connectors/http_call.h).

#include "connectors/connector.h"
#include "connectors/http_call.h"

#include <memory>

namespace aios::connectors::detail {

inline constexpr std::string_view http_calls_kind = "call";

std::unique_ptr<Connector> make_http_calls(const KindServices& services, const Egress& egress);

}  // namespace aios::connectors::detail
