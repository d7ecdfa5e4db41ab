// SPDX-License-Identifier: Apache-2.0
#include "api/detail/start_once.h"

#include "core/crypto.h"
#include "core/text.h"
#include "runtime/executor.h"

#include <fmt/format.h>

#include <utility>

namespace aios::api {
namespace {

store::KeyClaim claim_of(const std::string& key, std::string_view body, std::string id) {
  const Digest digest = sha256(body);
  return {"start-run", key, std::string(digest.begin(), digest.end()), std::move(id)};
}

/// The run that the key stands for.
Result<StartedOnce> first_of(const store::KeyRecord& record, const std::string& key) {
  if (!record.same_request) {
    return Error(Code::already_exists,
                 fmt::format("the Idempotency-Key '{}' was used for another request",
                             excerpt(key, 80)))
        .page(1305);
  }
  return StartedOnce{record.value, true};
}

}  // namespace

Task<Result<StartedOnce>> start_once(workflow::Engine* engine, store::Store* store, Context ctx,
                                     workflow::StartRequest start, std::string key,
                                     std::string body) {
  if (key.empty() || key.size() > idempotency_key_bytes_max) {
    co_return Error(Code::invalid_argument,
                    fmt::format("the Idempotency-Key has {} characters, wanted 1 to {}", key.size(),
                                idempotency_key_bytes_max))
        .page(1301);
  }
  runtime::Executor* executor = runtime::Executor::current();
  start.run_id = runtime::new_id("run", executor->clock(), executor->random());
  store::KeyClaim claim = claim_of(key, body, start.run_id);
  start.with.keys.push_back(claim);
  auto id = co_await engine->start(ctx, std::move(start));
  if (id.ok()) {
    co_return StartedOnce{*std::move(id), false};
  }
  if (id.error().code() != Code::already_exists) {
    co_return std::move(id).error();
  }
  auto record = co_await store->key(ctx, std::move(claim));
  if (!record.ok()) {
    co_return std::move(record).error();
  }
  if (!record->has_value()) {
    co_return Error(Code::aborted, "the key changed while it was read", Retry::same_call);
  }
  co_return first_of(**record, key);
}

}  // namespace aios::api
