// SPDX-License-Identifier: Apache-2.0
#pragma once
// workflow/function_services: the rooms that functions (functions/*.cc) may use. They outlive the
// engine. Null is allowed where no document calls what needs it. Threading: used from every shard.

#include "core/json.h"
#include "core/result.h"

#include <functional>
#include <string_view>

namespace aios {
class TenantId;
}
namespace aios::connectors {
class Connectors;
}
namespace aios::data {
class Knowledge;
}
namespace aios::gateway {
class Gateway;
class Hosted;
}  // namespace aios::gateway
namespace aios::govern {
class Guard;
}
namespace aios::review {
class Reviews;
}
namespace aios::runtime {
class Clock;
}

namespace aios::workflow {

struct FunctionServices {
  const govern::Guard* guard = nullptr;
  gateway::Gateway* gateway = nullptr;
  const gateway::Hosted* hosted = nullptr;  ///< null: no model of somebody else's
  connectors::Connectors* connectors = nullptr;
  review::Reviews* reviews = nullptr;
  const data::Knowledge* knowledge = nullptr;
  runtime::Clock* clock = nullptr;
  /// A form of the tenant's deployed bundle by name; not_found names the nearest.
  std::function<Result<Json>(const TenantId& tenant, std::string_view name)> form;
};

}  // namespace aios::workflow
