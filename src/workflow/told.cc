// SPDX-License-Identifier: Apache-2.0
#include "workflow/detail/told.h"

#include "govern/audit.h"
#include "runtime/executor.h"

#include <fmt/format.h>

#include <utility>

namespace aios::workflow {

Error no_run(const std::string& run_id, Error error) {
  if (error.code() != Code::not_found) {
    return error;
  }
  return Error(Code::not_found,
               fmt::format("no run '{}'; 'aios runs list' shows those there are", run_id))
      .page(1012);
}

store::AuditLeaf run_leaf(const Context& ctx, const LiveRun& run, std::string outcome) {
  govern::LeafFacts facts(govern::LeafKind::run);
  facts.stream = run.id;
  facts.outcome = std::move(outcome);
  facts.facts["workflow"] = run.state.workflow;
  facts.facts["version"] = run.state.version;
  return govern::make_leaf(ctx, runtime::Executor::current()->clock().now(), facts);
}

void ask_to_cancel(const Context& ctx, LiveRun& run, std::string reason) {
  const bool asked_before = run.state.cancel_asked && run.state.cancel_reason == reason;
  if (!run.cancel_leaf && !asked_before) {
    run.cancel_leaf = run_leaf(ctx, run, "cancel_asked");
  }
  run.cancel_requested = true;
  run.cancel_reason = std::move(reason);
}

}  // namespace aios::workflow
