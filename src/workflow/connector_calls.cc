// SPDX-License-Identifier: Apache-2.0
#include "workflow/detail/connector_calls.h"

#include <memory>
#include <utility>

namespace aios::workflow {

void fill_in(const CallRequest& request, connectors::OperationCall* call) {
  call->purpose = request.purpose;
  call->effect_id = request.effect_id;
  call->run_id = request.run_id;
  call->step = request.step;
  call->run = request.run;
  call->attempt = request.attempt;
}

Task<govern::Refusable<PreparedCall>> prepare_call(connectors::Connectors* connectors, Context ctx,
                                                   connectors::OperationCall call) {
  auto admitted = co_await connectors->prepare(ctx, std::move(call));
  if (!admitted.ok()) {
    co_return std::move(admitted).refusal();
  }
  PreparedCall out;
  if (!admitted->intent.bytes.empty()) {
    out.intent.push_back(admitted->intent);
  }
  out.blocked = admitted->blocked;
  out.place = PreparedCall::Place{admitted->info.effect, admitted->info.origin};
  out.state = std::make_shared<connectors::Prepared>(std::move(*admitted));
  co_return out;
}

CallOutcome outcome_of(connectors::Performed performed) {
  CallOutcome out;
  out.outcome = performed.outcome;
  out.result = std::move(performed.result);
  out.error = std::move(performed.error);
  out.blocked = performed.blocked;
  out.spared = performed.spared;
  out.status = performed.status;
  if (!performed.leaf.bytes.empty()) {
    out.leaves.push_back(std::move(performed.leaf));
  }
  return out;
}

}  // namespace aios::workflow
