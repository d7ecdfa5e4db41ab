// SPDX-License-Identifier: Apache-2.0
#include "outside.h"

#include "core/json.h"
#include "runtime/one_shot.h"

#include <fmt/format.h>

#include <chrono>
#include <utility>

namespace aios::tenants {
namespace {

constexpr auto attempt_time = std::chrono::milliseconds(20);
constexpr std::uint64_t lost_every = 5;

net::Response says(int status, std::string body) {
  net::Response response;
  response.status = status;
  response.headers.set("content-type", "application/json");
  response.body = std::move(body);
  return response;
}

}  // namespace

Task<Result<net::Response>> Outside::send(Context ctx, net::ClientRequest request) {
  const TenantId tenant = ctx.tenant;
  const std::uint64_t attempt = ++sides_[tenant].attempts;
  auto rested = co_await runtime::sleep_for(std::move(ctx), attempt_time);
  if (!rested.ok()) {
    co_return std::move(rested).error();
  }
  Side& side = sides_[tenant];
  if (side.down || attempt % lost_every == 0) {
    co_return Error(Code::unavailable, "the connection was reset", Retry::whole_step).page(313);
  }
  const std::string key(request.headers.get("idempotency-key"));
  auto& answer = side.done[key.empty() ? fmt::format("call-{}", attempt) : key];
  if (answer.empty()) {
    answer = to_text(JsonObject{{"id", fmt::format("R-{}", side.done.size())}});
  }
  co_return says(200, answer);
}

}  // namespace aios::tenants
