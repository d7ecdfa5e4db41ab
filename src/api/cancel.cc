// SPDX-License-Identifier: Apache-2.0
#include "api/detail/cancel.h"

#include <utility>

namespace aios::api {

Task<Result<workflow::RunView>> cancel_for(const ApiServices& services, Context ctx,
                                           std::string id) {
  std::string reason = "cancelled by " + ctx.principal->id;
  auto done = co_await services.engine->cancel(ctx, id, std::move(reason));
  if (!done.ok()) {
    co_return std::move(done).error();
  }
  auto run = co_await services.engine->get(std::move(ctx), std::move(id));
  co_return run;
}

}  // namespace aios::api
