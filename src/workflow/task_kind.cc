// SPDX-License-Identifier: Apache-2.0
#include "workflow/task_kind.h"

#include "workflow/detail/durations.h"

namespace aios::workflow {

Step TaskBody::child_done(TaskScope& /*scope*/, Json output) const {
  return Done{std::move(output), {}};
}

std::optional<Step> TaskBody::caught(TaskScope& /*scope*/, const Problem& /*problem*/) const {
  return {};
}

Step TaskBody::resumed(TaskScope& scope) const { return Done{scope.input(), {}}; }

Step TaskBody::children_done(TaskScope& scope, std::vector<Json> /*outputs*/) const {
  return Done{scope.input(), {}};
}

bool TaskBody::fits(TaskScope& /*scope*/, const Json& /*event*/) const { return true; }

Step TaskBody::received(TaskScope& /*scope*/, Json event) const {
  return Done{std::move(event), {}};
}

Result<Duration> DurationValue::evaluate(TaskScope& scope) const {
  if (!expression.present()) {
    return fixed;
  }
  auto made = scope.evaluate(expression);
  if (!made.ok()) {
    return std::move(made).error();
  }
  return duration_of(*made);
}

}  // namespace aios::workflow
