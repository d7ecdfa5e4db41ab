// SPDX-License-Identifier: Apache-2.0
#include "ingress/waiting_runs.h"

#include <utility>

namespace aios::ingress {

Json Accepted::to_json() const {
  JsonObject out;
  out["id"] = id;
  out["status"] = status;
  if (!run.empty()) {
    out["run"] = run;
  }
  if (!delivered.empty()) {
    out["delivered"] = delivered;
  }
  if (!reason.empty()) {
    out["reason"] = reason;
  }
  if (repeated) {
    out["repeated"] = true;
  }
  return out;
}

Task<Result<Accepted>> take_in(const IngressServices& services, Context ctx,
                               store::Transition transition, Accepted accepted) {
  transition.epoch = services.store->epoch();
  auto committed = co_await services.store->commit(ctx, std::move(transition));
  if (!committed.ok()) {
    co_return std::move(committed).error();
  }
  co_return accepted;
}

Task<std::string> give_to_waiting(const IngressServices& services, Context ctx,
                                  std::string event_id, JsonObject envelope) {
  Json event(std::move(envelope));
  auto run = co_await services.engine->deliver(ctx, std::move(event_id), std::move(event));
  if (!run.ok() && services.log != nullptr) {
    services.log->error("ingress", run.error(), &ctx);
  }
  co_return run.ok() ? std::move(*run) : std::string();
}

}  // namespace aios::ingress
